package secret

// azureMark is what a kind of Azure's keys has in it, and how many characters of base64
// stand before it and after it, without padding.
type azureMark struct {
	mark                string
	before, least, most int
	rule                string
}

var azureMarks = []azureMark{
	{"+ASt", 76, 6, 6, "azure-storage-key"}, {"ACDb", 76, 6, 6, "azure-cosmos-key"}, {"+ABa", 76, 6, 6, "azure-batch-key"}, {"APIM", 76, 6, 6, "azure-api-key"},
	{"+ASb", 33, 6, 6, "azure-service-bus-key"}, {"+AEh", 33, 6, 6, "azure-event-hub-key"}, {"+ARm", 33, 6, 6, "azure-relay-key"}, {"AIoT", 33, 6, 6, "azure-iot-key"}, {"AzCa", 33, 6, 6, "azure-cache-key"},
	{"AzFu", 44, 6, 6, "azure-function-key"}, {"AzSe", 42, 6, 6, "azure-search-key"}, {"+ACR", 42, 6, 6, "azure-registry-key"}, {"AZDO", 76, 4, 4, "azure-devops-token"},
}

// at looks for a key around its mark.
func (m azureMark) at(s *scan, at int) {
	t := s.text
	start := at - m.before
	if start < 0 || t[at:at+len(m.mark)] != m.mark || start > 0 && base64any(t[start-1]) && t[start-1] != '=' || !s.spend(m.before) {
		return
	}
	_, end := run(t, at+len(m.mark), func(c byte) bool { return base64any(c) && c != '=' }, m.most+1)
	n := end - at - len(m.mark)
	_, end = run(t, end, func(c byte) bool { return c == '=' }, 2)
	if n < m.least || n > m.most || !all(t[start:at], base64any) || !drawn(t[start:at]) {
		return
	}
	s.report(Match{Rule: m.rule, Start: start, End: end, Severity: Critical, Score: 0.97, Why: "it has the mark and length of a key of Azure"})
}
