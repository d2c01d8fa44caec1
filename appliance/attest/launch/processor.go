package launch

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
)

// VMM is who sets the first registers.
type VMM string

// The VMMs that are known.
const (
	QEMU    VMM = "qemu"     // with KVM of Linux 6.9 and later, which measures the FPU's registers too
	QEMUOld VMM = "qemu-old" // with kernels before, which were AMD's own branch
	EC2     VMM = "ec2"
)

// signatures are what CPUID says of the processors that QEMU can show, by the names
// it has for them. Versions of a name (-v4) differ in features, not in this.
var signatures = map[string]uint32{
	"EPYC": signature(23, 1, 2), "EPYC-IBPB": signature(23, 1, 2), "EPYC-Rome": signature(23, 49, 0),
	"EPYC-Milan": signature(25, 1, 1), "EPYC-Genoa": signature(25, 17, 0), "EPYC-Turin": signature(26, 0, 0),
}

var modelVersion = regexp.MustCompile(`-v[0-9]+$`)

// Signature returns what CPUID says of a type of processor: a name of QEMU's, or
// the value itself, as 0xa00f11.
func Signature(processor string) (uint32, error) {
	if n, err := strconv.ParseUint(processor, 0, 32); err == nil {
		return uint32(n), nil
	}
	s, ok := signatures[modelVersion.ReplaceAllString(processor, "")]
	if !ok {
		return 0, fmt.Errorf("%q is no type of processor that is known; EPYC-Milan and EPYC-Genoa are, and a CPUID signature such as 0xa00f11 will do", processor)
	}
	return s, nil
}

// signature is CPUID Fn0000_0001_EAX of a family from 16 on.
func signature(family, model, stepping uint32) uint32 {
	return (family-15)<<20 | model>>4<<16 | 15<<8 | model&15<<4 | stepping
}

const firstEIP = 0xffff_fff0 // where the first processor begins

// Offsets of registers in the save area.
const (
	regES, regCS, regSS, regDS, regFS, regGS = 0x00, 0x10, 0x20, 0x30, 0x40, 0x50
	regGDTR, regLDTR, regIDTR, regTR         = 0x60, 0x70, 0x80, 0x90

	regEFER, regCR4, regCR0, regDR7, regDR6 = 0xd0, 0x148, 0x158, 0x160, 0x168
	regRFLAGS, regRIP, regPAT, regRDX       = 0x170, 0x178, 0x268, 0x310
	regFeatures, regXCR0, regMXCSR, regFCW  = 0x3b0, 0x3e8, 0x408, 0x410
)

// registers is the page with a processor's first registers.
func registers(eip uint32, features uint64, signature uint32, vmm VMM) []byte {
	p := make([]byte, pageSize)
	segment := func(at int, selector, attributes uint16, base uint64) {
		binary.LittleEndian.PutUint16(p[at:], selector)
		binary.LittleEndian.PutUint16(p[at+2:], attributes)
		binary.LittleEndian.PutUint32(p[at+4:], 0xffff)
		binary.LittleEndian.PutUint64(p[at+8:], base)
	}
	cs, ss, tr := uint16(0x9b), uint16(0x93), uint16(0x8b)
	if vmm == EC2 {
		signature, ss, tr = 0, 0x92, 0x83
		if eip == firstEIP {
			cs = 0x9a
		}
	}
	for _, at := range []int{regES, regDS, regFS, regGS} {
		segment(at, 0, 0x93, 0)
	}
	segment(regCS, 0xf000, cs, uint64(eip&0xffff_0000))
	segment(regSS, 0, ss, 0)
	segment(regGDTR, 0, 0, 0)
	segment(regIDTR, 0, 0, 0)
	segment(regLDTR, 0, 0x82, 0)
	segment(regTR, 0, tr, 0)
	for at, v := range map[int]uint64{
		regEFER: 0x1000, regCR4: 0x40, regCR0: 0x10, regDR7: 0x400, regDR6: 0xffff_0ff0, // what KVM adds to a reset: SVME, MCE
		regRFLAGS: 0x2, regRIP: uint64(eip & 0xffff), regPAT: 0x0007_0406_0007_0406, regRDX: uint64(signature),
		regFeatures: features, regXCR0: 0x1,
	} {
		binary.LittleEndian.PutUint64(p[at:], v)
	}
	if vmm == QEMU {
		binary.LittleEndian.PutUint32(p[regMXCSR:], 0x1f80)
		binary.LittleEndian.PutUint16(p[regFCW:], 0x37f)
	}
	return p
}
