package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/oneclaw/oneclawd/appliance/attest/launch"
)

// measured is what is to be launched, as the flags of attest measure say it.
type measured struct {
	firmware, kernel, initrd, cmdline string
	vcpus                             int
	processor, vmm, features          string
	asJSON                            bool
}

func newAttestMeasure() *cobra.Command {
	var m measured
	cmd := &cobra.Command{
		Use:   "measure --ovmf FILE --vcpus N",
		Short: "Calculate the measurement of an image before it is launched",
		Long: `Calculate what an AMD processor will measure when it launches an image as an
SEV-SNP guest, for the measurements of an appraisal policy. Nothing is launched and
no processor of AMD's is needed.

The firmware has to be an OVMF image with SEV metadata; to measure a kernel it
has to be built for that, as AmdSevX64 is. Give --append exactly as QEMU will get
it: a space more is another measurement. The number of virtual processors and
their type count, too. docs/image.md has the whole way.`,
		Example: `  oneclawd attest measure --ovmf OVMF.fd --vcpus 2 --vcpu-type EPYC-Milan \
      --kernel vmlinuz --initrd initrd.img --append "console=ttyS0"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return m.run(cmd.OutOrStdout()) },
	}
	f := cmd.Flags()
	f.StringVar(&m.firmware, "ovmf", "", "firmware image")
	f.StringVar(&m.kernel, "kernel", "", "kernel that QEMU hands to the firmware")
	f.StringVar(&m.initrd, "initrd", "", "its initrd")
	f.StringVar(&m.cmdline, "append", "", "its command line")
	f.IntVar(&m.vcpus, "vcpus", 1, "number of virtual processors")
	f.StringVar(&m.processor, "vcpu-type", "EPYC-v4", "type of the virtual processors, as QEMU names it, or a CPUID signature such as 0xa00f11")
	f.StringVar(&m.vmm, "vmm", string(launch.QEMU), "who launches: qemu (with Linux 6.9 or later), qemu-old or ec2")
	f.StringVar(&m.features, "guest-features", "0x1", "SEV features that are turned on")
	f.BoolVar(&m.asJSON, "json", false, "print JSON")
	_ = cmd.MarkFlagRequired("ovmf")
	return cmd
}

func (m measured) run(out io.Writer) error {
	if m.kernel == "" && (m.initrd != "" || m.cmdline != "") {
		return fmt.Errorf("--initrd and --append are the kernel's; say --kernel, too")
	}
	features, err := strconv.ParseUint(m.features, 0, 64)
	if err != nil {
		return fmt.Errorf("--guest-features %q is not a number such as 0x1", m.features)
	}
	image, err := os.ReadFile(m.firmware)
	if err != nil {
		return err
	}
	guest := launch.Machine{VCPUs: m.vcpus, Processor: m.processor, VMM: launch.VMM(m.vmm), Features: features}
	if guest.Firmware, err = launch.ParseFirmware(image); err != nil {
		return fmt.Errorf("%s: %w", m.firmware, err)
	}
	if m.kernel != "" {
		if guest.Kernel, err = m.boots(); err != nil {
			return err
		}
	}
	found, err := guest.Measure()
	if err != nil {
		return err
	}
	if m.asJSON {
		return json.NewEncoder(out).Encode(map[string]string{"measurement": hex.EncodeToString(found[:])})
	}
	_, err = fmt.Fprintf(out, "%x\n", found)
	return err
}

// boots is what QEMU hands to the firmware. Without an initrd that is one of no
// bytes.
func (m measured) boots() (*launch.Kernel, error) {
	k := &launch.Kernel{Initrd: sha256.Sum256(nil), Append: launch.HashAppend(m.cmdline)}
	for file, sum := range map[string]*[sha256.Size]byte{m.kernel: &k.Kernel, m.initrd: &k.Initrd} {
		if file == "" {
			continue
		}
		if err := hashFile(file, sum); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func hashFile(name string, sum *[sha256.Size]byte) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	h.Sum(sum[:0])
	return nil
}
