// Package launch calculates what AMD's firmware will measure when it launches an
// SEV-SNP guest: the measurement that an appraisal policy has to list, before any
// such machine has been started.
//
// The measurement is a chain of SHA-384 over the pages that the guest begins with,
// each with where it lies and what kind of page it is: the firmware's image,
// the pages that the image's own metadata asks for, among them one with the hashes of kernel,
// initrd and command line, and the registers of each virtual processor.
//
//	AMD, SEV Secure Nested Paging Firmware ABI (56860), 8.17.2: the chain
//	AMD, Architecture Programmer's Manual 2 (24593), table B-4: the registers
//	edk2, OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm: the metadata
//	QEMU, docs/specs/sev-guest-firmware.rst, target/i386/sev.c: the hashes
//
// It opens no files and trusts nothing that it is given. What it knows of initial
// registers is what QEMU with KVM, and EC2, set.
package launch
