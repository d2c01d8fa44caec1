package pii

// roleWords are the words that rules about names and places look for.
var roleWords = map[role]string{
	title: "mr mrs ms miss mx dr prof professor sir madam dame lord lady rev reverend capt captain sgt lt col gen judge herr frau " +
		"monsieur madame mademoiselle mme mlle señor señora señorita sr sra srta don doña signor signora signorina sig dott dottor dottoressa " +
		"dhr mevr mevrouw meneer pan pani senhor senhora bay bayan fru hr г-н г-жа",
	honour:   "jr sr ii iii iv md phd dds esq mba cpa dvm rn obe",
	particle: "de da di do dos das du del della der den des van von zu zur ten ter la le el al bin ibn bint ben y e af av ap op san st o d l",
	greeting: "dear hi hello hey hola bonjour hallo ciao olá ola cher chère liebe lieber geehrter geehrte estimado estimada querido querida " +
		"caro cara gentile beste kære hej szanowny szanowna thanks regards sincerely cheers signed yours saludos cordialement grüße",
	saying: "said says wrote writes asked asks told tells replied replies explained explains added adds announced tweeted argues argued " +
		"claimed claims recalled recalls joked noted whispered shouted sagt sagte dit dijo disse zei",
	relation: "son daughter kid child brother sister mother father mom dad wife husband uncle aunt cousin nephew niece grandmother grandfather " +
		"friend boss manager colleague coworker doctor nurse teacher neighbor neighbour girlfriend boyfriend fiancé patient client customer employee " +
		"producer director singer actor actress author writer president senator chancellor minister founder ceo cto cfo coach lawyer attorney " +
		"assistant founders members authors participants attendees contacts friends children kids daughters sons brothers sisters colleagues named called aka nicknamed hermano hermana amigo amiga esposa marido madre padre hijo hija frère sœur ami amie mari femme " +
		"bruder schwester freund freundin sohn tochter mann chef kollege kollegin patientin fratello sorella amico amica moglie marito figlio figlia " +
		"heißt nombre nom naam imię nazwisko maiden surname",
	pronoun: "he she him her his hers himself herself they them their er sie ihm ihr il elle lui él ella lei hij zij on ona",
	preposition: "in from to at near of around through via into across toward towards outside within aus nach bei en desde hacia a de à dans vers " +
		"da em para naar uit w z do från till",
	living: "live lives lived living move moved moving born based located originally reside resides resided resident native travel travels traveled " +
		"travelled travelling traveling coming come comes go going went return returned returning arrive arrived arrives arriving visit visited visiting serving office offices " +
		"fly flying flew trip grew raised headquartered settled flight flights stationed stay staying stayed drive driving hometown wohne wohnt wohnhaft geboren " +
		"lebt vive vivo vivir nacido nacida nació habite né née résidant abita nato nata risiede mora moro nascido woon woont geboren mieszka mieszkam",
	street: "street st avenue ave road rd boulevard blvd lane ln drive dr court ct place pl square sq highway hwy parkway pkwy terrace ter trail trl circle cir " +
		"way crescent close grove mews row alley loop plaza pike turnpike route forge forges ford drive drives " +
		"rue allée allee quai chemin impasse strasse straße str gasse platz weg ring allee ufer damm calle avenida avda paseo plaza carrera camino rua travessa praça estrada " +
		"via viale piazza corso largo vicolo straat laan plein gracht kade dijk singel ulica ul aleja al plac os ulitsa улица ул вул просп проспект переулок utca út körút tér ulice ulici třída náměstí strada bulevardul вулиця вулиці улице проспекте οδός " +
		"gata gatan vägen väg vej gade allé katu tie kuja polku cadde caddesi sokak sokağı bulvarı mahallesi jalan colonia urbanización",
	unit: "apt apartment suite ste unit floor fl room rm building bldg flat apto depto piso étage wohnung interno lokal box",
	company: "inc incorporated llc ltd limited corp corporation company co plc gmbh ag kg ug se sa sas sarl srl spa bv nv ab as oy oyj aps kft zrt sro pty llp lp group holdings " +
		"solutions systems technologies technology labs laboratories partners associates consulting industries enterprises bank university college hospital institute " +
		"foundation airlines insurance pharmaceuticals media networks software analytics capital ventures clinic logistics energy motors bancorp semiconductor",
	month: "january february march april may june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec " +
		"januar februar märz mai juni juli oktober dezember janvier février mars avril juin juillet août septembre octobre novembre décembre " +
		"enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre " +
		"janeiro fevereiro março maio junho julho setembro outubro novembro dezembro januari februari maart april mei augustus " +
		"stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
	doing:    "lives began started decided works worked married died graduated plays loves likes speaks studied grew enjoys wants needs prefers",
	business: "invested announced acquired launched reported hired manufactures employs raised merged operates specializes specialises sells",
	firm:     "company bank firm startup manufacturer provider corporation brainchild agency supplier retailer insurer bookseller publisher nonprofit",
	function: "the a an our my your his her their this that these those at in from for with by and or of to on as if when while where is are was not but so i we you it he she they yes no please what who how why " +
		"der die das dem des ein eine ist lautet und mein meine est sont mon ma es mis è mio mia é meu minha het een mijn är mitt jest moje mój moja bu benim это мой моя мои є мій olen",
	employment: "work works worked working employed joined join company employer firm hired startup job intern internship role position career spent",
	yearly:     "in since during year founded until till from before after circa established class summer winter spring fall autumn early late",
	addressing: "address addresses adresse located lives live lived office offices return taxi deliver delivered ship shipped send sent reside residing side validate following " +
		"restaurant dirección direccion indirizzo endereço wohnhaft domicilio domicile anschrift cab driver",
	mailing: "psc unit cmr p po postfach usns uss usnv uscgc zip zipcode postcode plz cep postleitzahl postal code corner",
	aging:   "years year yrs yr y yo años jährige jähriger jahre jaar ans anni anos lat aged age turned turning edad alter",
	demonym: "american british english scottish welsh irish german french spanish italian portuguese dutch belgian swiss austrian swedish norwegian danish finnish " +
		"icelandic polish czech slovak hungarian romanian bulgarian greek turkish russian ukrainian belarusian serbian croatian bosnian slovenian albanian macedonian " +
		"estonian latvian lithuanian canadian mexican brazilian argentinian argentine chilean colombian peruvian venezuelan ecuadorian bolivian uruguayan paraguayan " +
		"cuban jamaican haitian australian chinese japanese korean vietnamese thai indonesian malaysian filipino singaporean indian pakistani bangladeshi nepalese " +
		"iranian iraqi israeli palestinian lebanese syrian jordanian saudi egyptian moroccan algerian tunisian libyan nigerian ghanaian kenyan ethiopian somali sudanese " +
		"ugandan tanzanian zimbabwean congolese cameroonian senegalese angolan mozambican greenlander kazakh uzbek georgian armenian azerbaijani afghan mongolian " +
		"cypriot maltese luxembourgish asian african european hispanic latino caucasian muslim christian jewish hindu buddhist catholic protestant arab kurdish",
	city: "london paris berlin madrid rome vienna amsterdam brussels lisbon dublin athens warsaw prague budapest bucharest sofia belgrade zagreb stockholm oslo copenhagen " +
		"helsinki reykjavik moscow kyiv kiev minsk istanbul ankara tehran baghdad damascus beirut jerusalem cairo casablanca lagos nairobi johannesburg accra tokyo osaka kyoto " +
		"seoul beijing shanghai shenzhen guangzhou taipei bangkok hanoi jakarta manila kuala mumbai delhi bangalore chennai kolkata karachi lahore dhaka sydney melbourne brisbane " +
		"perth auckland wellington toronto montreal vancouver ottawa calgary boston chicago seattle denver dallas houston austin atlanta miami philadelphia detroit phoenix portland " +
		"baltimore minneapolis cleveland pittsburgh nashville memphis orlando tampa sacramento oakland brooklyn manhattan california texas florida ohio oregon nevada arizona colorado " +
		"michigan illinois pennsylvania massachusetts minnesota wisconsin missouri tennessee alabama kentucky louisiana oklahoma kansas nebraska iowa utah hawaii alaska " +
		"hamburg münchen munich köln cologne frankfurt stuttgart düsseldorf leipzig dresden hannover nürnberg bremen zürich zurich geneva genève basel bern lyon marseille toulouse " +
		"bordeaux lille nantes nice strasbourg barcelona valencia sevilla seville bilbao málaga milan milano torino turin napoli naples firenze florence venezia venice bologna roma " +
		"porto lisboa rotterdam utrecht antwerpen gent kraków wrocław gdańsk poznań warszawa manchester birmingham liverpool glasgow edinburgh leeds bristol cardiff belfast oxford cambridge " +
		"bogotá medellín lima santiago caracas quito havana guadalajara monterrey brasília salvador dubai doha riyadh europe asia africa москва киев kiel",
}

// citiesOfWords are large cities and regions whose names are several words.
const citiesOfWords = "new york|new york city|los angeles|san francisco|san diego|san jose|san antonio|san juan|santa fe|santa monica|santa barbara|las vegas|" +
	"new orleans|salt lake city|st louis|st. louis|kansas city|oklahoma city|new jersey|new mexico|new hampshire|north carolina|south carolina|north dakota|south dakota|" +
	"rhode island|west virginia|washington dc|british columbia|são paulo|sao paulo|rio de janeiro|belo horizonte|buenos aires|mexico city|ciudad de méxico|cape town|" +
	"tel aviv|abu dhabi|kuala lumpur|ho chi minh city|new delhi|den haag|the hague|frankfurt am main|saint petersburg|st petersburg|addis ababa|santo domingo|" +
	"san salvador|panama city|quezon city|palo alto|mountain view|silicon valley|long beach|fort worth|el paso|baton rouge|latin america|north america|south america|middle east|new south wales"
