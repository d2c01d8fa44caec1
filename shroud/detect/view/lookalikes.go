package view

// lookalikes has, for each letter of ASCII, the letters that look like it: those
// whose skeleton in confusables.txt of UTS #39 (Unicode 13) is that one letter
// ("rn" counts as m; capitals of the skeleton l as I) and that NFKC leaves as
// they are, without the dotless i, which Turkish needs. The phonetic small
// capitals are added, and a few of Greek and Cyrillic that differ from the
// letter in height only.
var lookalikes = [...]struct {
	letter byte
	alike  string
}{
	{'A', "\u0391\u0410\u13aa\u15c5\ua4ee\U000102a0\U00016f40"},
	{'a', "\u0251\u03b1\u0430\u1d00"},
	{'B', "\u0392\u0412\u13f4\u15f7\ua4d0\ua7b4\U00010282\U000102a1\U00010301"},
	{'b', "\u0184\u0299\u03b2\u042c\u13cf\u1472\u15af"},
	{'C', "\u0421\u13df\u2ca4\ua4da\U000102a2\U00010302\U00010415\U0001051c"},
	{'c', "\u0441\u1d04\u2ca5\uabaf\U0001043d"},
	{'D', "\u13a0\u15de\u15ea\ua4d3"},
	{'d', "\u0501\u13e7\u146f\u1d05\ua4d2"},
	{'E', "\u0395\u0415\u13ac\u2d39\ua4f0\U00010286\U000118a6\U000118ae"},
	{'e', "\u03b5\u0435\u04bd\u1d07\uab32"},
	{'F', "\u03dc\u15b4\ua4dd\ua798\U00010287\U000102a5\U00010525\U000118a2\U000118c2"},
	{'f', "\u0584\u1e9d\ua730\ua799\uab35"},
	{'G', "\u050c\u13c0\u13f3\ua4d6"},
	{'g', "\u018d\u0261\u0262\u0581\u1d83"},
	{'H', "\u0397\u041d\u13bb\u157c\u2c8e\ua4e7\U000102cf"},
	{'h', "\u029c\u043d\u04bb\u0570\u13c2"},
	{'I', "\u0196\u0399\u0406\u04c0\u2c92"},
	{'i', "\u0269\u026a\u03b9\u0456\u04cf\u13a5\ua647\uab75\U000118c3"},
	{'J', "\u037f\u0408\u13ab\u148d\ua4d9\ua7b2"},
	{'j', "\u03f3\u0458\u1d0a"},
	{'K', "\u039a\u041a\u13e6\u16d5\u2c94\ua4d7\U00010518"},
	{'k', "\u03ba\u043a\u1d0b"},
	{'L', "\u13de\u14aa\u2cd0\ua4e1\U0001041b\U00010526\U000118a3\U000118b2\U00016f16"},
	{'l', "\u01c0\u029f\u05d5\u05df\u0627\u07ca\u16c1\u2d4f\ua4f2\U0001028a\U00010309\U00016f28"},
	{'M', "\u039c\u03fa\u041c\u13b7\u15f0\u16d6\u2c98\ua4df\U000102b0\U00010311"},
	{'m', "\u043c\u1d0d\U00011700"},
	{'N', "\u039d\u2c9a\ua4e0\U00010513"},
	{'n', "\u0274\u03b7\u0578\u057c"},
	{'O', "\u039f\u041e\u0555\u0b20\u12d0\u2c9e\u2d54\ua4f3\U00010292\U000102ab\U00010404\U000104c2\U00010516\U000118b5"},
	{'o', "\u03bf\u03c3\u043e\u0585\u05e1\u0647\u06be\u06c1\u06d5\u0d20\u101d\u10ff\u1d0f\u1d11\u2c9f\uab3d\U0001042c\U000104ea\U000118c8\U000118d7"},
	{'P', "\u03a1\u0420\u13e2\u146d\u2ca2\ua4d1\U00010295"},
	{'p', "\u03c1\u0440\u1d18\u2ca3"},
	{'Q', "\u2d55"},
	{'q', "\u051b\u0563\u0566\ua7af"},
	{'R', "\u01a6\u13a1\u13d2\u1587\ua4e3\U000104b4\U00016f35"},
	{'r', "\u0280\u0433\u1d26\u2c85\uab47\uab48\uab81"},
	{'S', "\u0405\u054f\u13d5\u13da\ua4e2\U00010296\U00010420\U00016f3a"},
	{'s', "\u01bd\u0455\ua731\uabaa\U00010448\U000118c1"},
	{'T', "\u03a4\u0422\u13a2\u2ca6\ua4d4\U00010297\U000102b1\U00010315\U000118bc\U00016f0a"},
	{'t', "\u03c4\u0442\u1d1b"},
	{'U', "\u054d\u1200\u144c\ua4f4\U000104ce\U000118b8\U00016f42"},
	{'u', "\u028b\u03c5\u057d\u1d1c\ua79f\uab4e\uab52\U000104f6\U000118d8"},
	{'V', "\u0474\u13d9\u142f\u2d38\ua4e6\ua6df\U0001051d\U000118a0\U00016f08"},
	{'v', "\u03bd\u0475\u05d8\u1d20\uaba9\U00011706\U000118c0"},
	{'W', "\u051c\u13b3\u13d4\ua4ea"},
	{'w', "\u026f\u03c9\u0461\u051d\u0561\u1d21\uab83\U0001170a\U0001170e\U0001170f"},
	{'X', "\u03a7\u0425\u16b7\u2cac\u2d5d\ua4eb\ua7b3\U00010290\U000102b4\U00010317\U00010527"},
	{'x', "\u03c7\u0445\u1541\u157d"},
	{'Y', "\u03a5\u0423\u04ae\u13a9\u13bd\u2ca8\ua4ec\U000102b2\U000118a4\U00016f43"},
	{'y', "\u0263\u028f\u03b3\u0443\u04af\u10e7\u1d8c\u1eff\uab5a\U000118dc"},
	{'Z', "\u0396\u13c3\ua4dc\U000118a9"},
	{'z', "\u1d22\uab93\U000118c4"},
}
