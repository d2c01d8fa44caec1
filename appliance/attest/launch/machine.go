package launch

import (
	"errors"
	"fmt"
)

// Machine is a guest before its launch.
type Machine struct {
	Firmware  *Firmware
	Kernel    *Kernel // nil where the firmware finds something to boot by itself, unmeasured
	VCPUs     int
	Processor string // see Signature; EC2 needs none
	VMM       VMM
	// Features are the SEV features that the VMM turns on: bit 0 is SNP itself, bit
	// 5 swapping of debug registers.
	Features uint64
}

const maxVCPUs = 4096

const (
	featureSNP       = 1 << 0
	fourGiB    int64 = 1 << 32
)

// Measure returns what the firmware of the processor will measure.
func (m Machine) Measure() (Measurement, error) {
	if m.Firmware == nil {
		return Measurement{}, errors.New("launch: no firmware")
	}
	var of Measurement
	of.addAll(uint64(fourGiB-int64(len(m.Firmware.image))), m.Firmware.image)
	return m.from(of)
}

// from goes on where the firmware's image has been measured.
func (m Machine) from(of Measurement) (Measurement, error) {
	switch {
	case m.VMM != QEMU && m.VMM != QEMUOld && m.VMM != EC2:
		return of, fmt.Errorf("launch: what %q sets is not known; qemu, qemu-old and ec2 are", m.VMM)
	case m.VCPUs < 1 || m.VCPUs > maxVCPUs:
		return of, fmt.Errorf("launch: %d processors", m.VCPUs)
	case m.Features&featureSNP == 0:
		return of, fmt.Errorf("launch: features %#x are without SNP", m.Features)
	case m.VCPUs > 1 && m.Firmware.resetEIP == 0:
		return of, fmt.Errorf("%w: it does not say where further processors begin", ErrFirmware)
	}
	var cpu uint32
	if m.VMM != EC2 {
		var err error
		if cpu, err = Signature(m.Processor); err != nil {
			return of, fmt.Errorf("launch: %w", err)
		}
	}
	if err := m.addSections(&of); err != nil {
		return of, err
	}
	for i := range m.VCPUs {
		eip := m.Firmware.resetEIP
		if i == 0 {
			eip = firstEIP
		}
		of.add(pageVMSA, vmsaAt, registers(eip, m.Features, cpu, m.VMM))
	}
	return of, nil
}

// addSections adds the memory that the firmware asks for. EC2 adds what CPUID
// says last.
func (m Machine) addSections(of *Measurement) error {
	hashed := false
	var last []section
	for _, s := range m.Firmware.sections {
		at := uint64(s.at)
		switch {
		case s.kind == sectionSecrets:
			of.add(pageSecrets, at, nil)
		case s.kind == sectionCPUID && m.VMM == EC2:
			last = append(last, s)
		case s.kind == sectionCPUID:
			of.add(pageCPUID, at, nil)
		case s.kind == sectionHashes && m.Kernel != nil:
			offset := m.Firmware.hashes % pageSize
			if m.Firmware.hashes == 0 || offset > pageSize-tableSize {
				return fmt.Errorf("%w: its table of hashes has no place", ErrFirmware)
			}
			of.add(pageNormal, at, m.Kernel.page(offset))
			hashed = true
		default:
			of.addZeros(at, s.size)
		}
	}
	for _, s := range last {
		of.add(pageCPUID, uint64(s.at), nil)
	}
	if m.Kernel != nil && !hashed {
		return fmt.Errorf("%w: it does not measure a kernel that QEMU hands to it; take one that is built for it, AmdSevX64", ErrFirmware)
	}
	return nil
}
