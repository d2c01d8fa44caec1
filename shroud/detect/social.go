package detect

import "strings"

// Parts of the expressions below.
const (
	demand  = `(?:send|transfer|wire|pay|verify|confirm|click|provide|give|share|reply|respond|reveal|tell|update|enter|submit|forward|approve|grant|unlock|reset|execute|run|disable|do\s+(?:it|this|exactly|as)|comply|obey|überweis|sende|schick|envía|env[ií]e|transfiere|envoyez|transf[eé]rez|invia|переведите|отправ)`
	polite  = `(?:^|[.!?:;,\n"'(>-]\s*|\b(?:please|you\s+(?:can|must|should|have\s+to|need\s+to|are\s+to|will|may)|just|and|then|now|let'?s|simply|i\s+need\s+you\s+to|i\s+want\s+you\s+to|immediately|must)\s+)`
	guards  = `(?:security|safety|content|authentication|verification|approval|filters?|guardrails?|2fa|mfa|restrictions?|protections?|checks?|polic(?:y|ies)|firewall|moderation|controls?|rules|guidelines|limitations?|safeguards?|filtering|programming|ethic(?:s|al)?)`
	secrets = `(?:pass\s?words?|passcodes?|passphrases?|pins?\b|api[\s_-]?keys?|secret\s+keys?|private\s+keys?|seed\s+phrases?|recovery\s+(?:phrases?|codes?)|mnemonics?|credentials?|social\s+security|ssn|credit\s+card|card\s+numbers?|cvv|otp|one[\s-]time\s+(?:codes?|passwords?)|2fa\s+codes?|(?:access|auth|bearer|session)\s+tokens?|login(?:s|\s+details)|log-?in\s+(?:data|details|information))`
	// asked ends a request: "your password reset link" asks for no password.
	asked = `(?:\s+(?:information|details|numbers?|data|info))?(?:[^\w\s-]|$|\s+(?:to|for|of|so|now|and|or|in|via|by|on|at|here|please|immediately|asap|right|with|as|if|from|using|you)\b|\s*\n)`
)

// socialRules find pressure, false authority and what those ask for. At the middle
// level a word is not enough: something has to be demanded with it.
func socialRules() []rule {
	r := func(pattern string, s Severity, level int, why, e string, near ...string) rule {
		return rule{typ: SocialEngineering, pattern: pattern, severity: s, score: 0.7, why: why, near: near, expr: expr(e), level: level, whole: level < 2}
	}
	return []rule{
		beginning(demandBegins, needing(r("urgency", Medium, 1, "something is demanded at once", `\b(?:urgent(?:ly)?|immediate(?:ly)?|right\s+(?:now|away)|asap|act\s+(?:now|fast)|within\s+(?:the\s+next\s+)?\d+\s+(?:minutes?|hours?)|time[\s-]sensitive|emergency|last\s+(?:chance|warning)|final\s+notice|dringend|sofort|urgente|inmediatamente|immédiatement|срочно|немедленно)\b.{0,80}\b`+demand+`|\b`+demand+`\b.{0,60}\b(?:urgently|immediately|right\s+(?:now|away)|asap|without\s+delay|within\s+\d+\s+(?:minutes?|hours?)|sofort|urgente(?:mente)?|inmediatamente|immédiatement)\b`,
			"urgent", "urgently", "immediate", "immediately", "right now", "right away", "asap", "act now", "act fast", "within", "time-sensitive", "time sensitive", "emergency", "last chance", "last warning", "final notice", "without delay", "dringend", "sofort", "inmediatamente", "immédiatement", "срочно", "немедленно"), demandWords)),
		r("urgency", Medium, 0, "something is threatened", `\b(?:account|access|service|card|payment)\b.{0,40}\b(?:will\s+be|is\s+going\s+to\s+be|has\s+been)\s+(?:suspended|closed|terminated|locked|deleted|blocked|deactivated|disabled)`, "suspended", "terminated", "deactivated", "will be closed", "will be locked", "will be deleted", "will be blocked", "been locked"),
		stems(r("urgency", Medium, 1, "something is threatened", `(?:konto|zugang|karte|compte|accès|carte|cuenta|acceso|tarjeta|conto|accesso|carta|conta|acesso|cartão|rekening|konto)\b.{0,40}(?:gesperrt|geschlossen|suspendu|bloqué|désactivé|suspendid|bloquead|perder|sospes|bloccat|disattivat|suspens|geblokkeerd|zablokowan|zawieszon)`, "gesperrt", "geschlossen", "suspendu", "bloqué", "désactivé", "suspendid", "bloquead", "sospes", "bloccat", "disattivat", "suspens", "geblokkeerd", "zablokowan", "zawieszon")),
		r("urgency", Medium, 2, "haste is urged", `\b(?:urgent(?:ly)?|immediately|asap|emergency|right\s+now|act\s+now)\b`, "urgent", "immediately", "asap", "emergency", "right now", "act now"),
		beginning([]string{"i", "this", "speaking", "as"}, needing(r("authority", High, 0, "authority is claimed and something demanded of the assistant", `\b(?:i\s+am|i'm|this\s+is|speaking\s+as|as)\s+(?:the|your|an?)\s+(?:[\w-]+\s+){0,2}(?:ceo|cto|ciso|administrator|admin|root\s+user|developer|creator|owner|supervisor|superior|manager|director|security\s+(?:team|officer|department)|it\s+(?:department|support|team)|system\s+operator|help\s?desk|police|fbi)\b.{0,80}\b(?:i\s+(?:order|command|authori[sz]e|instruct|demand|require|need\s+you\s+to|override|grant)|you\s+(?:must|are\s+(?:ordered|required|authori[sz]ed|to))|override|comply|obey|disregard|ignore)\b`,
			"ceo", "cto", "ciso", "admin", "administrator", "root user", "developer", "creator", "owner", "supervisor", "superior", "manager", "director", "security team", "security officer", "it department", "it support", "it team", "operator", "helpdesk", "help desk", "police", "fbi"), []string{"i am", "i'm", "this is", "speaking as", "as the", "as your", "as a"}, []string{"order", "command", "authori", "instruct", "demand", "require", "need you", "override", "grant", "you must", "you are", "comply", "obey", "disregard", "ignore"})),
		beginning([]string{"openai", "anthropic", "google", "microsoft", "meta", "deepmind", "mistral"}, needing(r("authority", High, 0, "makers of the model are said to order it", `\b(?:openai|anthropic|google|microsoft|meta|deepmind|mistral)(?:'s)?\s+(?:staff|employee|engineer|developer|team|support|security|safety|admin\w*)\b.{0,80}\b(?:authori[sz]\w+|order\w*|instruct\w*|require\w*|approved|override|permission|allow(?:s|ed)?\s+you)`, "openai", "anthropic", "google", "microsoft", "deepmind", "mistral"), []string{"authori", "order", "instruct", "require", "approved", "override", "permission", "allow"})),
		stemsOf(r("authority", High, 1, "special rights are claimed", `\bi\s+(?:have|hold|was\s+(?:given|granted))\s+(?:full\s+|special\s+|the\s+)?(?:admin(?:istrator|istrative)?|root|superuser|override|top[\s-]secret|level\s+\w+)\s+(?:access|privileges?|rights|permissions?|clearance|authori[sz]ation|authority)`, "privilege", "clearance", "authority", "authorisation", "authorization", "permission", "access", "rights"), []string{"have", "hold", "was"}, []string{"admin", "root", "superuser", "override", "secret", "level"}),
		needing(r("authority", High, 1, "authority is claimed and something demanded", `\b(?:i\s+am|i'm|this\s+is|speaking)\s+(?:(?:calling\s+|writing\s+)?from\s+)?(?:the|your)\s+(?:[\w-]+\s+)?(?:ceo|cfo|cto|ciso|director|supervisor|bank|(?:it|security|hr|support|fraud|compliance)\s+(?:department|team|desk)|help\s?desk)\b.{0,60}\b(?:do\s+(?:as|what)\s+i|need(?:s)?\s+(?:you|your|access|to\s+(?:verify|confirm|access))|give\s+me|send\s+me|transfer|wire)\b`,
			"ceo", "cfo", "cto", "ciso", "director", "supervisor", "bank", "department", "team", "helpdesk", "help desk"), []string{"i am", "i'm", "this is", "speaking"}, []string{"do as", "do what", "need", "give me", "send me", "transfer", "wire"}),
		r("authority", High, 2, "authority is claimed", `\b(?:i\s+am|i'm)\s+(?:the|your)\s+(?:[\w-]+\s+)?(?:ceo|administrator|admin|developer|creator|owner|boss|supervisor)\b`, "ceo", "admin", "developer", "creator", "owner", "boss", "supervisor"),
		needing(r("secrecy", High, 0, "somebody is to be kept from knowing", `\b(?:do\s*n[o']t|don’t|never|must\s+not|should\s+not|cannot|can't|without)\s+(?:\w+\s+){0,2}?(?:tell(?:ing)?|inform(?:ing)?|notify(?:ing)?|alert(?:ing)?|let(?:ting)?|mention(?:ing)?\s+(?:this|it|any\w*)\s+to|reveal(?:ing)?\s+(?:this|it)\s+to|say(?:ing)?\s+(?:this|it|anything)\s+to)\s+(?:to\s+)?(?:the\s+user|your\s+(?:user|owner|boss|manager|operator|team|human|it|superiors?|colleagues?)|any(?:one|body)|the\s+(?:owner|admin\w*|operator|human|others|victim|police))(?:\s*[.,;:!?)"'\n]|\s+(?:about|that|of|what|this|anything|it|we|i|how|why|when|because|until|in|or|and)\b|\s*$)`,
			"tell", "telling", "inform", "informing", "notify", "notifying", "alert", "alerting", "letting", "let", "mention", "mentioning", "reveal", "revealing", "say", "saying"), []string{"not ", "n't", "n’t", "dont", "never", "cannot", "without"}, []string{"user", "owner", "boss", "manager", "operator", "team", "human", "superior", "colleague", "anyone", "anybody", "admin", "others", "victim", "police"}),
		beginning([]string{"keep", "this", "it", "our", "no"}, needing(r("secrecy", High, 1, "something is to stay between two", `\b(?:keep\s+(?:this|it)\s+(?:strictly\s+)?(?:between\s+(?:us|you\s+and\s+me)|(?:a\s+)?secret|quiet|hidden|to\s+yourself)|(?:this|it)\s+(?:must|should|has\s+to)\s+(?:stay|remain)\s+(?:secret|between\s+us)|our\s+little\s+secret|no\s?(?:one|body)\s+(?:else\s+)?(?:needs\s+to|has\s+to|must|should|may|can)\s+(?:ever\s+)?know)\b`, "between us", "between you and me", "a secret", "it secret", "this secret", "stay secret", "remain secret", "quiet", "hidden", "to yourself", "little secret", "know"), []string{"keep", "stay", "remain", "little", "one", "body"})),
		stems(r("secrecy", High, 1, "somebody is to be kept from knowing", `(?:erzähl\w*|sag\w*|verrat\w*)\s+(?:es\s+|das\s+|dies\s+)?niemande[mn]|no\s+(?:se\s+)?lo\s+(?:digas|diga|cuentes)\s+a\s+nadie|ne\s+(?:le\s+)?(?:dites|dis)\s+(?:rien\s+)?à\s+personne|non\s+dirlo\s+a\s+nessuno|não\s+conte\s+a\s+ninguém|никому\s+не\s+говори|不要告诉(?:任何人|用户)`, "niemandem", "niemanden", "a nadie", "à personne", "a nessuno", "a ninguém", "никому", "不要告诉")),
		needing(r("bypass", Critical, 1, "the assistant is told to get around its protection", polite+`(?:bypass|disable|turn\s+off|switch\s+off|circumvent|skip|override|evade|get\s+around|deactivate|suspend|work\s+around|drop|remove)\s+(?:all\s+(?:of\s+)?(?:your|the)?|your|any\s+of\s+your|my|our)\s+(?:[\w-]+\s+){0,2}`+guards+`\b`,
			"bypass", "disable", "turn off", "switch off", "circumvent", "skip", "override", "evade", "get around", "deactivate", "suspend", "work around", "drop", "remove"), guardWords, []string{"your", " my ", " our ", " all "}),
		needing(r("bypass", Critical, 1, "an exception from protection is asked for", `\b(?:bypass|disable|turn\s+off|skip|waive|suspend|ignore|leave\s+out)\s+(?:the|your|all|any)\s+(?:[\w-]+\s+){0,2}(?:verification|authentication|approvals?|two-factor|2fa|mfa|(?:security|identity|safety|compliance)\s+checks?|checks?|polic(?:y|ies))\b.{0,40}\b(?:just\s+(?:this\s+)?once|this\s+(?:one\s+)?time|for\s+(?:me|now)|only\s+today)\b`, "bypass", "disable", "turn off", "skip", "waive", "suspend", "ignore", "leave out"), []string{"once", "time", "for me", "for now", "today"}),
		r("bypass", Critical, 2, "protection is to be got around", `\b(?:bypass|disable|turn\s+off|circumvent|evade|override)\s+(?:the\s+|all\s+|any\s+|its\s+)?(?:[\w-]+\s+)?`+guards+`\b`, "bypass", "disable", "turn off", "circumvent", "evade", "override"),
		asking(r("credential_request", Critical, 1, "a credential is asked for", polite+`(?:also\s+)?(?:send|give|tell|share|reveal|show|e-?mail|dm|text|reply|respond|forward|disclose|hand\s+over|provide|leak|print|output|repeat)\s+(?:(?:it\s+)?(?:to\s+)?(?:me|us)|back|with|over)\s+(?:[\w'-]+\s+){0,4}?`+secrets+asked, credentialWords...)),
		asking(r("credential_request", Critical, 1, "a credential is asked for", polite+`(?:send|give|tell|share|e-?mail|text|forward|disclose|hand\s+over|reveal|submit)\s+(?:me\s+|us\s+)?(?:your|his|her|their|the\s+(?:user|admin\w*|owner|customer|system)(?:'s)?|the\s+full)\s+(?:[\w'-]+\s+){0,3}?`+secrets+asked, credentialWords...)),
		beginning(giveBegins, stems(r("credential_request", Critical, 1, "a credential is asked for", `(?:senden?|schicken?|geben?|nennen?|teilen?|verraten?)\s+(?:sie\s+)?(?:mir|uns)\s+(?:bitte\s+)?(?:ihr|dein|das|die)e?n?\s+(?:[\wäöü-]+\s+)?(?:passwor[td]|kennwort|pin|tan|zugangsdaten)|(?:envoyez|envoie|donnez|donne|communiquez)[- ](?:moi|nous)\s+(?:votre|ton|vos|tes|le)\s+(?:mots?\s+de\s+passe|codes?|identifiants)|(?:env[ií]a|d[ai]|m[aá]nda|env[ií]e|comp[aá]rte)(?:me|nos)\s+(?:tu|su|tus|sus|la|las)\s+(?:contrase[ñn]as?|claves?|pin|credenciales)|(?:manda|invia|dai)(?:mi|ci)\s+(?:la\s+)?(?:tua\s+|sua\s+)?(?:password|credenziali)|(?:envie|mande|me\s+envie|me\s+d[êe]|me\s+passe)(?:-me|-nos)?\s+(?:a\s+)?(?:sua\s+|tua\s+)?(?:senha|palavra-passe)|(?:stuur|geef|mail)\s+(?:mij|me|ons)\s+(?:uw|je|jouw|het)\s+(?:wachtwoord|pincode)|(?:podaj|wyślij|prześlij)\s+(?:mi|nam)\s+(?:swoje\s+|twoje\s+)?hasło`,
			"passwor", "kennwort", " pin", " tan", "zugangsdaten", "mot de passe", "mots de passe", "votre code", "identifiants", "contrase", "clave", "credenciales", "credenziali", "senha", "palavra-passe", "wachtwoord", "pincode", "hasło"))),
		stems(r("credential_request", Critical, 1, "a credential is asked for", `(?:[Пп]ришли|[Оо]тправь|[Сс]ообщи|[Нн]азови|[Сс]кажи)(?:те)?\s+(?:мне|нам)\s+(?:свой\s+|ваш\s+|твой\s+)?(?:пароль|код)|(?:把|告诉我|发给我|请提供)(?:你的|您的)?密码|パスワードを(?:教えて|送って)`,
			"пароль", " код", "密码", "パスワードを")),
		r("credential_request", Critical, 2, "a credential is asked for", `\b(?:enter|provide|confirm|verify|type|what\s+is|what's)\s+(?:me\s+)?(?:your|the)\s+(?:[\w'-]+\s+){0,3}?`+secrets, credentialWords...),
		stemsOf(r("credential_request", Critical, 1, "a credential is asked for", `(?:gib|nenn\w*|schick\w*|sag|zeig\w*)\s+(?:mir|uns)\s+(?:\S+\s+){0,3}(?:passwort|kennwort|zugangsdaten|pin|schlüssel)|(?:dime|dame|envíame|muéstrame|dígame|deme)\s+(?:\S+\s+){0,3}(?:contraseña|clave|credenciales)|(?:donne|donnez|envoie|envoyez|dis|dites|montre|montrez)[\s-]*(?:moi|nous)\s+(?:\S+\s+){0,3}(?:mots?\s+de\s+passe|identifiants|clés?)|(?:dimmi|dammi|inviami|mostrami)\s+(?:\S+\s+){0,3}(?:password|credenziali|chiave)|(?:me\s+(?:diga|dê|envie|mostre)|diga-me|dê-me|envie-me|mostre-me)\s+(?:\S+\s+){0,3}(?:senha|credenciais|chave)|(?:скажи|дай|пришли|отправь|покажи|назови)(?:те)?\s+(?:мне\s+)?(?:\S+\s+){0,3}(?:парол|ключ|пин)|(?:告诉我|发给我|给我)[^。\n]{0,12}(?:密码|口令|密钥)`,
			"passwort", "kennwort", "zugangsdaten", " pin", "schlüssel", "contraseña", "clave", "credenciales", "passe", "identifiants", "password", "credenziali", "chiave", "senha", "credenciais", "chave", "парол", "ключ", "密码", "口令", "密钥"), verbs),
	}
}

// stems is for rules whose literals are beginnings of words.
func stems(r rule) rule { r.whole = false; return r }

// stemsOf is stems for what also needs words.
func stemsOf(r rule, words ...[]string) rule { return needing(stems(r), words...) }

func needing(r rule, words ...[]string) rule { r.needs = words; return r }

// beginning says what the matches of a rule begin with.
func beginning(words []string, r rule) rule { r.begins = words; return r }

// demandBegins has the beginnings of the words of haste and of those in demand.
var demandBegins = strings.Fields("urgent immediate right asap act within time emergency last final dringend sofort urgente inmediatamente imm " +
	"send transfer wire pay verify confirm click provide give share reply respond reveal tell update enter submit forward approve grant unlock reset execute run disable do comply obey " +
	"schick env transf invia")

// giveBegins has the beginnings of the words for giving in languages that are written in
// Latin letters.
var giveBegins = strings.Split("send|schick|geb|nenn|teil|verrat|envi|enví|envoy|envoi|donn|communiqu|dam|dan|dim|din|manda|mánda|mande|compart|compárt|invia|dai|me envie|me d|me passe|stuur|geef|mail m|mail o|podaj|wyślij|prześlij", "|")

// asking narrows a rule to what stands before the name of a credential.
func asking(r rule) rule {
	r.whole, r.before, r.after = false, 90, 24
	r.needs = [][]string{{"send", "give", "tell", "share", "reveal", "show", "mail", "text", "dm ", "repl", "respond", "forward", "disclose", "hand over", "provide", "leak", "print", "output", "repeat", "submit"}, {" me", " us", "your", "his ", "her ", "their", "user", "admin", "owner", "customer", "system", "full", "back", "with", "over"}}
	return r
}

var (
	verbs       = []string{"gib ", "nenn", "schick", "sag ", "zeig", "dime", "dame", "envíame", "muéstra", "dígame", "deme", "donne", "envoie", "envoyez", "dis-", "dites", "montre", "dimmi", "dammi", "inviami", "mostra", "me d", "me envie", "diga", "dê-me", "envie-me", "скаж", "дай", "пришли", "отправь", "покажи", "назови", "告诉", "发给", "给我"}
	guardWords  = []string{"secur", "safe", "content", "authent", "verif", "approv", "filter", "guard", "2fa", "mfa", "restrict", "protect", "check", "polic", "firewall", "moderat", "control", "rule", "guideline", "limitation", "programming", "ethic"}
	demandWords = []string{"send", "transfer", "wire", "pay", "verify", "confirm", "click", "provide", "give", "share", "repl", "respond", "reveal", "tell", "update", "enter", "submit", "forward", "approve", "grant", "unlock", "reset", "execute", "run", "disable", "do ", "comply", "obey", "überweis", "schick", "env", "transfiere", "invia", "перевед", "отправ"}
)

var credentialWords = []string{
	"password", "pass word", "passcode", "passphrase", " pin", "api key", "api_key", "api-key", "apikey", "secret key", "private key", "seed phrase", "recovery phrase", "recovery code", "mnemonic",
	"credential", "social security", "ssn", "credit card", "card number", "cvv", "otp", "one-time", "one time", "2fa code", "access token", "auth token", "bearer token", "session token", "login", "log-in",
}
