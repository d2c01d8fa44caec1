package pii

import "strings"

// topic is a set of things that a text may be about just before or after a
// candidate.
type topic uint64

const (
	aCard topic = 1 << iota
	aBank
	aBIC
	aRouting
	aPhone
	anIdentity // an identity number of any country
	aTax       // a tax number of any country
	aHealth
	aPassport
	aLicence
	aPlate
	aBirth
	aWallet
	aMAC
	aSSN
	anITIN
	anEIN
	anNPI
	aNINO
	anNHS
	aSteuerID
	aBSNR
	aNIR
	aDNI
	anNIF
	aBSN
	aRijksregister
	aPESEL
	aNIP
	aPersonnummer
	aCPR
	anAHV
	aTCKN
	anINN
	aSNILS
	anAadhaar
	aPAN
	aMyNumber
	anRRN
	anNRIC
	aTFN
	anABN
	aMedicare
	anIRD
	aCPF
	aCNPJ
	aCUIT
	aRUT
	aCURP
	anSIN
	aSIREN
	aVAT
	anEmail
	anAddress
	aName
	anAge
	anACN
	anIP
	aNIN
	aVersion
	anOrder // an order, a ticket, a build: numbers of things
	aSortCode
)

// topicWords are the words that announce a topic, in small letters. A specific
// word also raises the general topic that it belongs to.
var topicWords = map[topic]string{
	aCard: "card cards credit debit visa mastercard amex american discover jcb diners maestro cc ccn pan " +
		"kreditkortnummer kortti luottokortti kreditní kártya bankkártya картка карточки карточка بطاقة البطاقة כרטיס कार्ड บัตรเครดิต kartu creditcard creditcardnummer kartennr kaartnummer cardnumber " +
		"karte kreditkarte kartennummer carte tarjeta carta cartão cartao kaart kort kortnummer karta karty kart карта карты",
	aBank: "bank account acct iban konto kontonummer compte cuenta conta rekening rekeningnummer conto checking savings " +
		"banking rachunek счет счёт hesap tili tilinumero рахунок kontonr bankkonto حساب الحساب חשבון खाता บัญชี účet bankszámla számlaszám λογαριασμός",
	aBIC:     "bic swift",
	aRouting: "routing aba rtn",
	aPhone: "phone phones telephone tel mobile cell cellphone call calls called calling fax whatsapp sms text dial hotline ring " +
		"desk office reach contact messages telefon telefonnummer handy handynummer mobil mobilfunk rückruf anrufen " +
		"téléphone telephone portable appeler appelez teléfono telefono móvil movil celular llamar llame cellulare chiamare " +
		"telefone telemóvel telemovel ligar telefoon telefoonnummer mobiel bellen puhelin puhelinnumero matkapuhelin gsm cep " +
		"numaram telefonu numara komórka zadzwoń tlf mobilnummer ring телефон тел моб мобильный звоните позвоните τηλέφωνο " +
		"телефону телефона мобильного мобільний мобільного фон हाथ फोन फ़ोन मोबाइल هاتف الهاتف هاتفي جوال الجوال جوالي موبايل טלפון נייד פלאפון โทรศัพท์ มือถือ thoại sđt telepon telpon nomorhp ponsel " +
		"chiamami chiamaci chiamatemi chiamarmi recapito cellphonenumber phonenumber mobilenumber puhelinnumeroni mobiltelefon mobiltelefonnummer telefonnummeret gsmnummer telefonom telefonum τηλεφώνου τηλέφωνό rufnummer anruf appelle contactez " +
		"κινητό telefonszám telefonní mobilní telefoni whats viber signal telegram",
	anIdentity: "identity identification national id idnumber personal citizen resident social insurance identité identidad " +
		"identidade ausweis personalausweis ausweisnummer identité identificación cédula cedula documento documentos kimlik " +
		"personnummer henkilötunnus isikukood dowód osobisty legitymacja identità tessera nin cin nid cnic nik ktp mykad " +
		"паспорт удостоверение ссн ssn cnp egn jmbg oib emšo emso amka егн αμκα αδτ पहचान आधार الهوية הזהות זהות เลขประจำตัวประชาชน บัตรประชาชน cmnd cccd pps ppsn személyi rodné rodného ідентифікаційний рнокпп іпн mykad rg curp dpi dui",
	aTax: "tax taxpayer tin vat steuer steuernummer fiscal fiscale impôt impuesto tributario contribuinte contribuyente " +
		"belasting skatte podatkowy nip vergi налог податковий іпн рнокпп инн afm αφμ npwp daňové adószám adóazonosító pps ppsn ضريبي",
	aHealth: "health medicare medicaid patient insurance krankenkasse krankenversicherung kvnr versichertennummer egk carte vitale " +
		"medical nhs hospital provider mbi",
	aPassport: "passport passports reisepass pass passeport pasaporte passaporto passaporte paspoort paszport pasport pas " +
		"reisepassnummer passeportnummer паспорта паспорту паспортом паспортные pasaportu पासपोर्ट جواز דרכון paszportu passaporto útlevelem cestovní passi pass-nr passnummer passnr pasaportes pasaport паспорт загранпаспорт útlevél διαβατήριο",
	aLicence: "license licence driver drivers driver's driving dl führerschein führerscheinnummer permis conducir licencia carnet " +
		"patente carteira cnh habilitação rijbewijs prawo jazdy körkort kørekort førerkort ajokortti ehliyet права",
	aPlate: "plate plates vehicle car reg registration kennzeichen immatriculation matrícula matricula targa placa plaka plakası " +
		"kfz autokennzeichen nummernschild госномер rendszám spz регистрационный nummerplaat kenteken rejestracyjny vehicles bike truck licenceplate numberplate",
	aBirth: "birth born dob birthday birthdate geboren geburtsdatum geburtstag naissance né née nacimiento nació nascita nato nata " +
		"родился родилась рожд народження народився народилася ميلاد الميلاد مواليد תאריךלידה לידה जन्म जन्मतिथि วันเกิด เกิด sinh lahir születési született narozen narozena narození născut născută nașterii γέννησης γεννήθηκε födelsedatum fødselsdag syntynyt doğumlu dogum rojstva rođenja rođen " +
		"nascimento nascido nascida geboorte geboortedatum urodzenia urodzony född fødselsdato født syntymäaika doğum рождения",
	aWallet: "wallet bitcoin btc eth ethereum crypto address litecoin ltc tron trx solana sol xrp ripple monero xmr dogecoin doge " +
		"usdt usdc cardano ada cryptocurrency wallets donate donation",
	aMAC:           "mac hwaddr ethernet bssid wifi ether bluetooth",
	aSSN:           "ssn social socialsecurity ssns",
	anITIN:         "itin",
	anEIN:          "ein fein employer",
	anNPI:          "npi provider",
	aNINO:          "nino ni insurance",
	anNHS:          "nhs patient",
	aSteuerID:      "steuer-id steuerid steuer idnr steueridentifikationsnummer identifikationsnummer steuernummer tin",
	aBSNR:          "bsnr betriebsstättennummer lanr betriebsnummer",
	aNIR:           "nir sécu sécurité securite insee vitale",
	aDNI:           "dni nie nif documento identidad cif",
	anNIF:          "nif contribuinte fiscal",
	aBSN:           "bsn burgerservicenummer sofinummer",
	aRijksregister: "rijksregister rijksregisternummer registre niss insz",
	aPESEL:         "pesel",
	aNIP:           "nip",
	aPersonnummer:  "personnummer pnr samordningsnummer swedish personligt fødselsnummer fodselsnummer fnr kennitala",
	aCPR:           "cpr cpr-nummer cprnummer",
	anAHV:          "ahv avs sozialversicherungsnummer svnr svnummer versicherungsnummer",
	aTCKN:          "tckn kimlik tc",
	anINN:          "инн inn",
	aSNILS:         "снилс snils",
	anAadhaar:      "aadhaar aadhar adhaar uidai uid आधार",
	aPAN:           "pan",
	aMyNumber:      "mynumber",
	anRRN:          "rrn",
	anNRIC:         "nric fin",
	aTFN:           "tfn",
	anABN:          "abn",
	aMedicare:      "medicare",
	anIRD:          "ird",
	aCPF:           "cpf cpfs",
	aCNPJ:          "cnpj",
	aCUIT:          "cuit cuil",
	aRUT:           "rut run rol",
	aCURP:          "curp rfc",
	anSIN:          "sin",
	aSIREN:         "siren siret",
	aVAT:           "vat ust ustid ustidnr idnr vatin piva mva dph áfa alv ust-idnr tva iva btw moms partita uid mwst pdv",
	anEmail:        "email e-mail mail courriel correo",
	anAddress:      "address adresse dirección direccion indirizzo endereço adres osoite", //nolint:misspell // a word of Dutch
	aName:          "name names nom nombre nome naam nimi namn navn imię vorname nachname",
	anAge:          "age aged years old yo",
	anACN:          "acn",
	anIP:           "ip ips ipv4 ipv6 address addresses server host gateway client addr connect connecting route cidr subnet dns ping network netmask multicast localhost src dst source destination unspecified mapped tunnel link",
	aNIN:           "nin nimc",
	aVersion:       "oid rfc section version versions v ver release upgraded upgrade semver",
	aSortCode:      "sort sortcode",
	anOrder:        "order ticket invoice build version commit issue port sku isbn tracking sha revision release bug",
}

// wideTopics are words of scripts without spaces, looked for in the bytes
// before a candidate.
var wideTopics = []struct {
	word  string
	topic topic
}{
	{"電話", aPhone}, {"携帯", aPhone}, {"电话", aPhone}, {"電话", aPhone}, {"手机", aPhone}, {"手機", aPhone}, {"联系", aPhone},
	{"전화", aPhone}, {"휴대폰", aPhone}, {"연락처", aPhone}, {"連絡先", aPhone}, {"โทร", aPhone},
	{"マイナンバー", aMyNumber | anIdentity}, {"個人番号", aMyNumber | anIdentity}, {"身份证", anIdentity}, {"身分證", anIdentity},
	{"身份證", anIdentity}, {"주민등록", anRRN | anIdentity}, {"주민번호", anRRN | anIdentity}, {"บัตรประชาชน", anIdentity},
	{"旅券", aPassport}, {"パスポート", aPassport}, {"护照", aPassport}, {"護照", aPassport}, {"여권", aPassport},
	{"免許", aLicence}, {"驾驶证", aLicence}, {"면허", aLicence}, {"口座", aBank}, {"账号", aBank}, {"帳號", aBank}, {"银行卡", aCard | aBank}, {"계좌", aBank},
	{"カード", aCard}, {"信用卡", aCard}, {"카드", aCard}, {"生年月日", aBirth}, {"出生", aBirth}, {"생년월일", aBirth},
	{"車牌", aPlate}, {"车牌", aPlate}, {"住所", anAddress}, {"地址", anAddress}, {"주소", anAddress},
}

// How far a word may be from what it announces.
const (
	reachBefore = 80 // bytes
	reachAfter  = 30
	wordsBefore = 10
	wordsAfter  = 4
)

// topics are those announced near tokens first to last.
func (f *finder) topics(first, last int) topic {
	return f.topicsAround(first, last, int(f.tokens[first].start), int(f.tokens[last].end))
}

// topicsAround are those of the tokens before first and after last, which are
// near begin and end.
func (f *finder) topicsAround(first, last, begin, end int) topic {
	var found topic
	sawWide := false
	for i, n := first-1, 0; i >= 0 && n < wordsBefore; i, n = i-1, n+1 {
		t := f.tokens[i]
		if begin-int(t.end) > reachBefore {
			break
		}
		sawWide = sawWide || t.class == wide
		found |= t.topics
	}
	for i, n := last+1, 0; i < len(f.tokens) && n < wordsAfter; i, n = i+1, n+1 {
		t := f.tokens[i]
		if int(t.start)-end > reachAfter || strings.IndexByte(f.text[end:t.start], '\n') >= 0 {
			break
		}
		found |= t.topics
	}
	if sawWide {
		window := f.text[max(0, begin-reachBefore):begin]
		for _, w := range wideTopics {
			if strings.Contains(window, w.word) {
				found |= w.topic
			}
		}
	}
	return found
}
