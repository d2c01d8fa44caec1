package launch

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
)

// Layouts of images whose measurements others have published: what they ask for.
var (
	amdSev2022 = layout{hashes: 0x80fc00, reset: 0x80b004, sections: []section{
		{0x800000, 0x9000, 1}, {0x80a000, 0x3000, 1}, {0x80d000, 0x1000, 2}, {0x80e000, 0x1000, 3}, {0x80f000, 0x1000, 16}, {0x810000, 0x10000, 1},
	}}
	amdSev2024 = layout{hashes: 0x810c00, reset: 0x80b004, sections: []section{
		{0x800000, 0x9000, 1}, {0x80a000, 0x3000, 1}, {0x80d000, 0x1000, 2}, {0x80e000, 0x1000, 3}, {0x80f000, 0x1000, 4}, {0x810000, 0x1000, 16}, {0x811000, 0xf000, 1},
	}}
	ovmfX64 = layout{reset: 0x80b004, sections: []section{
		{0x800000, 0x9000, 1}, {0x80a000, 0x3000, 1}, {0x80d000, 0x1000, 2}, {0x80e000, 0x1000, 3}, {0x80f000, 0x11000, 1},
	}}
)

// layout is what an image says of itself.
type layout struct {
	hashes, reset uint32
	sections      []section
}

// image is one of some pages with that layout.
func (l layout) image(pages int) []byte {
	b := make([]byte, pages*pageSize)
	for i := range b {
		b[i] = byte(i / 7)
	}
	const back = 0x400 // of the metadata
	m := append([]byte("ASEV"), make([]byte, 12)...)
	binary.LittleEndian.PutUint32(m[4:], uint32(16+12*len(l.sections)))
	binary.LittleEndian.PutUint32(m[8:], 1)
	binary.LittleEndian.PutUint32(m[12:], uint32(len(l.sections)))
	for _, s := range l.sections {
		for _, v := range []uint32{s.at, s.size, s.kind} {
			m = binary.LittleEndian.AppendUint32(m, v)
		}
	}
	copy(b[len(b)-back:], m)
	var table []byte
	entry := func(id []byte, data ...uint32) {
		for _, v := range data {
			table = binary.LittleEndian.AppendUint32(table, v)
		}
		table = binary.LittleEndian.AppendUint16(table, uint16(4*len(data)+entryHead))
		table = append(table, id...)
	}
	entry(guidMetadata, back)
	entry(guidHashes, l.hashes, 0x400)
	entry(guidReset, l.reset)
	table = binary.LittleEndian.AppendUint16(table, uint16(len(table)+entryHead))
	table = append(table, guidFooter...)
	copy(b[len(b)-tableEnd-len(table):], table)
	return b
}

func (l layout) firmware(t testing.TB) *Firmware {
	t.Helper()
	f, err := ParseFirmware(l.image(2))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// The image that tests of the command measure.
func TestImageOfOthersTests(t *testing.T) {
	have, err := os.ReadFile("testdata/image.bin")
	if err != nil || !bytes.Equal(have, amdSev2024.image(1)) {
		t.Errorf("testdata/image.bin is another: %v", err)
	}
}

// booting is nothing at all, with a command line.
func booting(text string) *Kernel {
	return &Kernel{Kernel: sha256.Sum256(nil), Initrd: sha256.Sum256(nil), Append: HashAppend(text)}
}

// TestPublishedMeasurements goes on from published measurements of images to
// published measurements of launches: those of the tests of virtee/sev-snp-measure (Apache
// 2.0), of its versions before and after Linux 6.9, and of its port to Go.
func TestPublishedMeasurements(t *testing.T) {
	const (
		of2022  = "edcf6d1c57ce868a167c990f58c8667c698269ef9e0803246419eea914186343054d557e1f17acd93b032c106bc70d25"
		other   = "cab7e085874b3acfdbe2d96dcaa3125111f00c35c6fc9708464c2ae74bfdb048a198cb9a9ccae0b3e5e1a33f5f249819"
		of2024  = "086e2e9149ebf45abdc3445fba5b2da8270bdbb04094d7a2c37faaa4b24af3aa16aff8c374c2a55c467a50da6d466b74"
		ofEC2   = "a58211791a556a630a4319dc9e2ea96cc0e9784dd9f20a4fadf81b26c98d163fcdcb6703884bbbb80d7b1de45b3d84d0"
		verbose = "console=ttyS0 loglevel=7"
	)
	for _, c := range []struct {
		layout   layout
		image    string
		vmm      VMM
		vcpus    int
		kernel   *Kernel
		features uint64
		want     string
	}{
		{amdSev2022, other, QEMUOld, 1, booting(""), 0x1, "db06fb267824b1ccb56edbe2a9c2ce88841bca5090dc6dac91d9cd30f3c2c0bf42daccb30d55d6625bfbf0dae5c50c6d"},
		{amdSev2022, other, QEMUOld, 1, booting(""), 0x21, "a076e1b0e6cf55fd94c82e2c25245f8c15f76690b941ba379b31527f82eafe7ad489777ff510d080bac9cd14d41bc205"},
		{amdSev2022, of2022, QEMUOld, 1, booting(verbose), 0x1, "f07864303ad8243132029e8110b92805c78d1135a15da75f67abb9a711d78740347f24ee76f603e650ec4adf3611cc1e"},
		{amdSev2022, of2022, QEMUOld, 4, booting(""), 0x1, "1c784beb8c49aa604b7fd57fbc73b36ec53a3f5fb48a2b895ad6cc2ea15d18ee7cc15e3e57c792766b45f944c3e81cfe"},
		{amdSev2022, of2022, QEMUOld, 1, nil, 0x21, "6d9054ed9872a64c968cfbcfa1247cafa792e3f9a395306d95c9937aaa081c643d25f369ccbd34409dafcae90bff55f3"},
		{amdSev2022, of2022, QEMU, 1, nil, 0x1, "c4ee889e2ca38dc7137f5a448c56960a1eb5c08919fd2107a1249eb899afda42be9ba11e417530938cfa8d62a5890557"},
		{amdSev2022, of2022, QEMU, 4, booting(""), 0x1, "74b2f532253c8214df9998ba8df305aa98eb1733c0010014c5ed728b8d1a9fa83df0a0caf047e9cee14087cc79bbc7c9"},
		{amdSev2022, of2022, QEMU, 4, booting(""), 0x21, "6258fc4d3c60d6964de64811587a903f309b9391efdccd448bb8bc39b78c1d153378077ca37e32d06d6ead319a5c7bce"},
		{amdSev2022, of2022, EC2, 1, booting(""), 0x1, "760b6e51039d2d6c1fc6d38ca5c387967d158e0294883e4522c36f89bd61bfc9cdb975cd1ceedffbe1b23b1daf4e3f42"},
		{amdSev2024, of2024, QEMU, 1, booting(""), 0x21, "329c8ce0972ae52343b64d34a434a86f245dfd74f5ed7aae15d22efc78fb9683632b9b50e4e1d7fa41179ef98a7ef198"},
		{amdSev2024, of2024, QEMU, 1, booting(verbose), 0x1, "6d287813eb5222d770f75005c664e34c204f385ce832cc2ce7d0d6f354454362f390ef83a92046c042e706363b4b08fa"},
		{amdSev2024, of2024, QEMU, 1, booting(verbose), 0x21, "803f691094946e42068aaa3a8f9e26a5c89f36f7b73ecfb28c653360fe4b3aba7e534442e7e1e17895dfe778d0228977"},
		{amdSev2024, of2024, QEMU, 1, nil, 0x1, "19358ba9a7615534a9a1e2f0dfc29384dcd4dcb7062ff9c6013b26869a5fc6ecabe033c48dd6f6db5d6d76e7c5df632d"},
		{amdSev2024, of2024, QEMU, 4, booting(""), 0x1, "5061fffb019493a903613d56d54b94912a1a2f9e4502385f5c194616753720a92441310ba6c4933de877c36e23046ad5"},
		{amdSev2024, of2024, QEMU, 4, booting(""), 0x21, "4953b1fb416fa874980e8442b3706d345926d5f38879134e00813c5d7abcbe78eafe7b422907be0b4698e2414a631942"},
		{ovmfX64, ofEC2, EC2, 2, nil, 0x1, "4c6e33087d08fa770259484dddbef367086a15c3e2cf10038dc97229d39c942671c2e22b300178f8de594a3f2fa59303"},
	} {
		var of Measurement
		if n, err := hex.Decode(of[:], []byte(c.image)); n != len(of) || err != nil {
			t.Fatal(err)
		}
		m := Machine{Firmware: c.layout.firmware(t), Kernel: c.kernel, VCPUs: c.vcpus, Processor: "EPYC-v4", VMM: c.vmm, Features: c.features}
		got, err := m.from(of)
		if err != nil || hex.EncodeToString(got[:]) != c.want {
			t.Errorf("%s, %d processors, features %#x: %x, %v, want %s", c.vmm, c.vcpus, c.features, got, err, c.want)
		}
	}
}

// The whole of it, against what a program in another language made of the image.
func TestMeasure(t *testing.T) {
	m := Machine{Firmware: amdSev2024.firmware(t), Kernel: booting("quiet"), VCPUs: 2, Processor: "EPYC-Milan-v2", VMM: QEMU, Features: 1}
	got, err := m.Measure()
	if want := "54b00fb7310650422e3abd3ce30db59061fe627c5a2d79690ede125b10b3b5af3827e03871baca5df7e3ff86ce309611"; err != nil || hex.EncodeToString(got[:]) != want {
		t.Errorf("%x, %v", got, err)
	}
	for name, change := range map[string]func(*Machine){
		"another command line": func(m *Machine) { m.Kernel = booting("quiet ") },
		"another kernel":       func(m *Machine) { m.Kernel = &Kernel{Append: m.Kernel.Append, Initrd: m.Kernel.Initrd} },
		"another initrd":       func(m *Machine) { m.Kernel = &Kernel{Append: m.Kernel.Append, Kernel: m.Kernel.Kernel} },
		"no kernel":            func(m *Machine) { m.Kernel = nil },
		"more processors":      func(m *Machine) { m.VCPUs = 3 },
		"another processor":    func(m *Machine) { m.Processor = "EPYC-Genoa" },
		"another VMM":          func(m *Machine) { m.VMM = QEMUOld },
		"other features":       func(m *Machine) { m.Features = 0x21 },
		"another image": func(m *Machine) {
			image := bytes.Clone(m.Firmware.image)
			image[0] ^= 1
			m.Firmware, _ = ParseFirmware(image)
		},
	} {
		other := m
		change(&other)
		if x, err := other.Measure(); err != nil || x == got {
			t.Errorf("%s: %v, the same: %v", name, err, x == got)
		}
	}
}

func TestMachinesThatCannotBe(t *testing.T) {
	good := Machine{Firmware: amdSev2024.firmware(t), Kernel: booting(""), VCPUs: 2, Processor: "EPYC-v4", VMM: QEMU, Features: 1}
	for name, c := range map[string]struct {
		change func(*Machine)
		want   string
	}{
		"no firmware":        {func(m *Machine) { m.Firmware = nil }, "firmware"},
		"no processor":       {func(m *Machine) { m.VCPUs = 0 }, "0 processors"},
		"negative":           {func(m *Machine) { m.VCPUs = -1 }, "-1 processors"},
		"unknown type":       {func(m *Machine) { m.Processor = "Xeon" }, "Xeon"},
		"unknown VMM":        {func(m *Machine) { m.VMM = "" }, "qemu"},
		"not SNP":            {func(m *Machine) { m.Features = 0x20 }, "SNP"},
		"no hashes":          {func(m *Machine) { m.Firmware = ovmfX64.firmware(t) }, "AmdSevX64"},
		"table without room": {func(m *Machine) { l := amdSev2024; l.hashes += 0x3c0; m.Firmware = l.firmware(t) }, "no place"},
		"table nowhere":      {func(m *Machine) { l := amdSev2024; l.hashes = 0; m.Firmware = l.firmware(t) }, "no place"},
		"no reset vector":    {func(m *Machine) { l := amdSev2024; l.reset = 0; m.Firmware = l.firmware(t) }, "processors begin"},
	} {
		m := good
		c.change(&m)
		if _, err := m.Measure(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSignature(t *testing.T) {
	for name, want := range map[string]uint32{
		"EPYC": 0x800f12, "EPYC-v4": 0x800f12, "EPYC-Rome": 0x830f10, "EPYC-Milan": 0xa00f11, "EPYC-Genoa": 0xa10f10,
		"EPYC-Turin": 0xb00f00, "EPYC-Milan-v2": 0xa00f11, "0xa00f11": 0xa00f11,
	} {
		if got, err := Signature(name); err != nil || got != want {
			t.Errorf("%s: %#x, %v", name, got, err)
		}
	}
}

func TestImagesThatAreNone(t *testing.T) {
	good := amdSev2024.image(2)
	end := len(good)
	put := func(at int, v ...byte) []byte {
		b := bytes.Clone(good)
		copy(b[at:], v)
		return b
	}
	section := func(at, size, kind uint32) []byte {
		return layout{reset: 1, sections: []section{{at, size, kind}}}.image(1)
	}
	for name, image := range map[string][]byte{
		"nothing":          nil,
		"half a page":      good[:pageSize/2],
		"no table":         put(end-40, 0),
		"table too large":  put(end-50, 0xff, 0xff),
		"table too small":  put(end-50, 1, 0),
		"entry too large":  put(end-50-18, 0xff, 0x0f),
		"entry too small":  put(end-50-18, 0, 0),
		"no signature":     put(end-0x400, 'X'),
		"another version":  put(end-0x400+8, 2),
		"sections missing": put(end-0x400+12, 8),
		"many sections":    put(end-0x400+4, 0x10, 4, 0, 0, 1, 0, 0, 0, 0x55),
		"unaligned":        section(0x800001, 0x1000, 1),
		"half a section":   section(0x800000, 0x800, 1),
		"empty section":    section(0x800000, 0, 1),
		"over the top":     section(0xfffff000, 0x2000, 1),
		"huge":             section(0, 0xfffff000, 1),
		"two secrets":      section(0x800000, 0x2000, 2),
		"unknown kind":     section(0x800000, 0x1000, 5),
	} {
		if _, err := ParseFirmware(image); !errors.Is(err, ErrFirmware) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever an image is, it is refused or measured, in time and without a panic.
func FuzzParseFirmware(f *testing.F) {
	for _, l := range []layout{amdSev2022, amdSev2024, ovmfX64} {
		f.Add(l.image(1)[pageSize-0x500:])
	}
	f.Fuzz(func(t *testing.T, end []byte) {
		if len(end) > pageSize {
			t.Skip()
		}
		image := append(make([]byte, pageSize-len(end)), end...)
		fw, err := ParseFirmware(image)
		if err != nil {
			if !errors.Is(err, ErrFirmware) {
				t.Error(err)
			}
			return
		}
		a, err := Machine{Firmware: fw, Kernel: booting("x"), VCPUs: 2, Processor: "EPYC", VMM: QEMU, Features: 1}.Measure()
		if err != nil && !errors.Is(err, ErrFirmware) {
			t.Error(err)
		}
		b, err2 := Machine{Firmware: fw, Kernel: booting("y"), VCPUs: 2, Processor: "EPYC", VMM: QEMU, Features: 1}.Measure()
		if (err == nil) != (err2 == nil) || err == nil && a == b {
			t.Error("two kernels are measured alike")
		}
	})
}
