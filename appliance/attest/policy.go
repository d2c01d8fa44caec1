package attest

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-sev-guest/verify/trust"
	"github.com/pelletier/go-toml/v2"
)

const (
	policyFormat = 1
	maxPolicy    = 1 << 20
)

// Policy is an appraisal policy: which guests, on which machines, may be trusted.
// It is made by LoadPolicy or ParsePolicy; the zero value refuses everything.
type Policy struct {
	file  policyFile
	lists policyLists
	roots map[string]*trust.AMDRootCerts // by product line
	crls  []*x509.RevocationList
}

// policyFile is the file, in TOML. docs/attestation.md says what the fields mean.
type policyFile struct {
	Format       int      `toml:"format"`
	Products     []string `toml:"products"`
	Measurements []string `toml:"measurements"`
	VMPL         *uint    `toml:"vmpl"`

	TCB       *policyTCB `toml:"tcb"`
	LaunchTCB *policyTCB `toml:"launch_tcb"`

	Guest struct {
		AllowSMT            bool   `toml:"allow_smt"`
		AllowMigrationAgent bool   `toml:"allow_migration_agent"`
		AllowCXL            bool   `toml:"allow_cxl"`
		SingleSocket        bool   `toml:"single_socket"`
		MinimumSVN          uint32 `toml:"minimum_svn"`
	} `toml:"guest"`

	Identity struct {
		HostData   string   `toml:"host_data"`
		FamilyID   string   `toml:"family_id"`
		ImageID    string   `toml:"image_id"`
		IDKeys     []string `toml:"id_key_digests"`
		AuthorKeys []string `toml:"author_key_digests"`
		Chips      []string `toml:"chips"`
	} `toml:"identity"`

	Firmware struct {
		MinimumBuild     uint8  `toml:"minimum_build"`
		MinimumVersion   string `toml:"minimum_version"`
		AllowProvisional bool   `toml:"allow_provisional"`
	} `toml:"firmware"`

	Revocation struct {
		CRLs      []string `toml:"crls"`
		Unchecked bool     `toml:"unchecked"`
	} `toml:"revocation"`

	Roots map[string]string `toml:"roots"`
}

// policyTCB has pointers, since a level left out would be a level unchecked.
type policyTCB struct {
	Bootloader *uint8 `toml:"bootloader"`
	TEE        *uint8 `toml:"tee"`
	SNP        *uint8 `toml:"snp"`
	Microcode  *uint8 `toml:"microcode"`
}

// policyLists is what of the file had to be decoded. Lists that are nil are not
// checked.
type policyLists struct {
	measurements, idKeys, authorKeys, chips [][]byte
	hostData, familyID, imageID             []byte
	tcb, launchTCB                          TCB
	vmpl                                    int
	version                                 uint16
}

// LoadPolicy reads the file at path, and those beside it that it names. Errors
// have the code attest_policy, attest_no_measurements or attest_crl_unavailable.
func LoadPolicy(path string) (*Policy, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, errPolicy.Detail("the appraisal policy cannot be read").Because(err)
	}
	return ParsePolicy(raw, os.DirFS(filepath.Dir(path)))
}

// ParsePolicy reads a policy; files has those that it names, nil none.
func ParsePolicy(raw []byte, files fs.FS) (*Policy, error) {
	if files == nil {
		files = noFiles{}
	}
	if len(raw) > maxPolicy {
		return nil, errPolicy.Detail("the appraisal policy is larger than %d bytes", maxPolicy)
	}
	p := new(Policy)
	dec := toml.NewDecoder(bytes.NewReader(raw)).DisallowUnknownFields()
	var strict *toml.StrictMissingError
	var syntax *toml.DecodeError
	switch err := dec.Decode(&p.file); {
	case errors.As(err, &strict) && len(strict.Errors) > 0:
		row, _ := strict.Errors[0].Position()
		return nil, errPolicy.Detail("appraisal policy, line %d: there is no field %s", row, strings.Join(strict.Errors[0].Key(), "."))
	case errors.As(err, &syntax):
		row, _ := syntax.Position()
		return nil, errPolicy.Detail("appraisal policy, line %d: %s", row, syntax.Error())
	case err != nil:
		return nil, errPolicy.Because(err)
	}
	for _, step := range []func() error{p.readHead, p.readTCB, p.readIdentity, p.readFirmware,
		func() error { return p.readRoots(files) }, func() error { return p.readCRLs(files) }} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

type noFiles struct{}

func (noFiles) Open(string) (fs.File, error) { return nil, fs.ErrNotExist }

func (p *Policy) readHead() (err error) {
	f := &p.file
	switch {
	case f.Format != policyFormat:
		return errPolicy.Detail("appraisal policy: format must be %d", policyFormat)
	case len(f.Measurements) == 0:
		return errNoMeasurements
	case len(f.Products) == 0:
		return errPolicy.Detail("appraisal policy: products lists no product line; there are %s and %s", milan, genoa)
	case f.VMPL == nil || *f.VMPL > maxVMPL:
		return errPolicy.Detail("appraisal policy: vmpl must be given, 0 to %d", maxVMPL)
	}
	for _, line := range f.Products {
		if !supported(line) {
			return errPolicy.Detail("appraisal policy: product line %q is not supported; there are %s and %s (Turin was never tested)", line, milan, genoa)
		}
	}
	p.lists.vmpl = int(*f.VMPL)
	p.lists.measurements, err = hexes("measurements", f.Measurements, 48)
	return err
}

func (p *Policy) readTCB() (err error) {
	if p.lists.tcb, err = p.file.TCB.floor("tcb"); err != nil {
		return err
	}
	if p.file.LaunchTCB == nil {
		p.lists.launchTCB = p.lists.tcb
		return nil
	}
	p.lists.launchTCB, err = p.file.LaunchTCB.floor("launch_tcb")
	return err
}

func (t *policyTCB) floor(name string) (TCB, error) {
	if t == nil || t.Bootloader == nil || t.TEE == nil || t.SNP == nil || t.Microcode == nil {
		return TCB{}, errPolicy.Detail("appraisal policy: [%s] must give bootloader, tee, snp and microcode", name)
	}
	floor := TCB{Bootloader: *t.Bootloader, TEE: *t.TEE, SNP: *t.SNP, Microcode: *t.Microcode}
	if floor == (TCB{}) {
		return TCB{}, errPolicy.Detail("appraisal policy: [%s] is zero everywhere, which every firmware meets", name)
	}
	for _, level := range []uint8{floor.Bootloader, floor.TEE, floor.SNP} {
		if level > 127 {
			return TCB{}, errPolicy.Detail("appraisal policy: [%s]: only microcode can be above 127", name)
		}
	}
	return floor, nil
}

func (p *Policy) readIdentity() (err error) {
	id := &p.file.Identity
	for _, list := range []struct {
		name string
		from []string
		size int
		to   *[][]byte
	}{
		{"id_key_digests", id.IDKeys, 48, &p.lists.idKeys},
		{"author_key_digests", id.AuthorKeys, 48, &p.lists.authorKeys},
		{"chips", id.Chips, 64, &p.lists.chips},
	} {
		if list.from != nil && len(list.from) == 0 {
			return errPolicy.Detail("appraisal policy: %s is empty; leave it out if anything will do", list.name)
		}
		if *list.to, err = hexes(list.name, list.from, list.size); err != nil {
			return err
		}
	}
	for _, one := range []struct {
		name, from string
		size       int
		to         *[]byte
	}{
		{"host_data", id.HostData, 32, &p.lists.hostData},
		{"family_id", id.FamilyID, 16, &p.lists.familyID},
		{"image_id", id.ImageID, 16, &p.lists.imageID},
	} {
		if one.from == "" {
			continue
		}
		all, err := hexes(one.name, []string{one.from}, one.size)
		if err != nil {
			return err
		}
		*one.to = all[0]
	}
	return nil
}

// hexes decodes values of size bytes each.
func hexes(name string, texts []string, size int) (all [][]byte, err error) {
	for _, text := range texts {
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != size {
			return nil, errPolicy.Detail("appraisal policy: %s has a value that is not %d hexadecimal digits", name, 2*size)
		}
		if name != "host_data" && !slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) {
			return nil, errPolicy.Detail("appraisal policy: %s has a value of zeros, which means that there is none", name)
		}
		all = append(all, b)
	}
	return all, nil
}

// readFirmware reads a version such as 1.55.
func (p *Policy) readFirmware() error {
	text := p.file.Firmware.MinimumVersion
	if text == "" {
		return nil
	}
	major, minor, ok := strings.Cut(text, ".")
	a, errA := strconv.ParseUint(major, 10, 8)
	b, errB := strconv.ParseUint(minor, 10, 8)
	if !ok || errA != nil || errB != nil {
		return errPolicy.Detail("appraisal policy: minimum_version must be as in \"1.55\"")
	}
	p.lists.version = uint16(a)<<8 | uint16(b)
	return nil
}

// readRoots takes AMD's, or for a product line that the file gives roots for,
// those and no others.
func (p *Policy) readRoots(files fs.FS) error {
	p.roots = map[string]*trust.AMDRootCerts{}
	for line, name := range p.file.Roots {
		if !slices.Contains(p.file.Products, line) {
			return errPolicy.Detail("appraisal policy: there are roots for %s, which is not among the products", line)
		}
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return errPolicy.Detail("appraisal policy: the roots of %s cannot be read; name a file beside the policy", line).Because(err)
		}
		certs, err := parseBundle(raw)
		if err != nil || certs.ark == nil || certs.ask == nil && certs.asvk == nil || certs.vcek != nil || certs.vlek != nil {
			return errPolicy.Detail("appraisal policy: the roots of %s are not an ARK with an ASK, an ASVK or both", line).Because(err)
		}
		p.roots[line] = rootsOf(line, certs)
	}
	for _, line := range p.file.Products {
		if p.roots[line] != nil {
			continue
		}
		certs, err := amdRoots(line)
		if err != nil {
			return err
		}
		p.roots[line] = rootsOf(line, certs)
	}
	return nil
}

func rootsOf(line string, c *chain) *trust.AMDRootCerts {
	r := trust.AMDRootCertsProduct(line)
	r.ProductCerts = &trust.ProductCerts{Ark: c.ark, Ask: c.ask, Asvk: c.asvk}
	return r
}

// amdRoots are those embedded in go-sev-guest: the VCEK's chain and, with the same
// ARK, the VLEK's.
func amdRoots(line string) (*chain, error) {
	vcek, vlek := trust.AskArkMilanVcekBytes, trust.AskArkMilanVlekBytes
	if line == genoa {
		vcek, vlek = trust.AskArkGenoaVcekBytes, trust.AskArkGenoaVlekBytes
	}
	c, err := parseBundle(bytes.Join([][]byte{vcek, vlek}, []byte("\n")))
	if err != nil {
		return nil, errPolicy.Detail("AMD's roots of %s are damaged in this program", line).Because(err)
	}
	return c, nil
}

// readCRLs reads the lists. That nothing is looked up has to be said.
func (p *Policy) readCRLs(files fs.FS) error {
	r := &p.file.Revocation
	switch {
	case r.Unchecked && len(r.CRLs) > 0:
		return errPolicy.Detail("appraisal policy: [revocation] has crls and unchecked = true")
	case !r.Unchecked && len(r.CRLs) == 0:
		return errPolicy.Detail("appraisal policy: [revocation] must list crls, or say unchecked = true")
	}
	for _, name := range r.CRLs {
		raw, err := fs.ReadFile(files, name)
		if err != nil {
			return errCRL.Detail("a revocation list that the appraisal policy names cannot be read; it has to be beside the policy").Because(err)
		}
		if block, _ := pem.Decode(raw); block != nil {
			raw = block.Bytes
		}
		crl, err := x509.ParseRevocationList(raw)
		if err != nil {
			return errCRL.Detail("a revocation list that the appraisal policy names is none").Because(err)
		}
		p.crls = append(p.crls, crl)
	}
	return nil
}
