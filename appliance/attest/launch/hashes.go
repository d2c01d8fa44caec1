package launch

import (
	"crypto/sha256"
	"encoding/binary"
)

// Kernel is what QEMU hands to the firmware to boot, by hash. The firmware boots
// nothing else once the table of hashes is measured.
type Kernel struct {
	Kernel, Initrd, Append [sha256.Size]byte
}

// HashAppend is the hash of a command line, which ends with a zero.
func HashAppend(text string) [sha256.Size]byte { return sha256.Sum256(append([]byte(text), 0)) }

var (
	guidTable  = guid("9438d606-4f22-4cc9-b479-a793d411fd21")
	guidAppend = guid("97d02dd8-bd20-4c94-aa78-e7714d36ab2a")
	guidInitrd = guid("44baf731-3a2f-4bd7-9af1-41e29169781d")
	guidKernel = guid("4de79437-abd2-427f-b835-d5b172d2045b")
)

// tableSize is that of the table without what pads it to 16 bytes.
const tableSize = entryHead + 3*(entryHead+sha256.Size)

// page is the page with the table of hashes, which begins at an offset in it.
func (k *Kernel) page(offset uint32) []byte {
	t := append(make([]byte, offset, pageSize), guidTable...)
	t = binary.LittleEndian.AppendUint16(t, tableSize)
	for _, e := range []struct {
		id   []byte
		hash [sha256.Size]byte
	}{{guidAppend, k.Append}, {guidInitrd, k.Initrd}, {guidKernel, k.Kernel}} {
		t = append(t, e.id...)
		t = binary.LittleEndian.AppendUint16(t, entryHead+sha256.Size)
		t = append(t, e.hash[:]...)
	}
	return t[:pageSize]
}
