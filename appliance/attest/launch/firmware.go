package launch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrFirmware is an image from which no SEV-SNP guest can be launched.
var ErrFirmware = errors.New("no OVMF image for SEV-SNP")

// Firmware is an OVMF image, as it is mapped below 4 GiB.
type Firmware struct {
	image    []byte
	sections []section
	hashes   uint32 // address of the table of hashes, 0 if there is none
	resetEIP uint32 // where processors but the first begin
}

// section is memory that the image asks to have launched with it.
type section struct {
	at, size uint32
	kind     uint32
}

// Kinds of sections.
const (
	sectionMemory  = 1
	sectionSecrets = 2
	sectionCPUID   = 3
	sectionSVSM    = 4 // the calling area of a service module, empty without one
	sectionHashes  = 0x10
)

const (
	maxImage    = 64 << 20
	maxSections = 64
	maxMemory   = 64 << 20 // of all sections; images have some hundred kilobytes
)

// GUIDs as they lie in images: the first three parts are little-endian.
var (
	guidFooter   = guid("96b582de-1fb2-45f7-baea-a366c55a082d")
	guidHashes   = guid("7255371f-3a3b-4b04-927b-1da6efa8d454")
	guidReset    = guid("00f771de-1a7e-4fcb-890e-68c77e2fb44e")
	guidMetadata = guid("dc886566-984a-4798-a75e-5585a7bf67cc")
)

// The table of GUIDs ends this far before the end of the image; an entry is its
// data, its size and its GUID, so that the table is read backwards.
const (
	tableEnd  = 32
	entryHead = 16 + 2
)

// ParseFirmware reads what an image says of itself.
func ParseFirmware(image []byte) (*Firmware, error) {
	if len(image) == 0 || len(image) > maxImage || len(image)%pageSize != 0 {
		return nil, fmt.Errorf("%w: %d bytes are not some pages", ErrFirmware, len(image))
	}
	f := &Firmware{image: image}
	table, err := footer(image)
	if err != nil {
		return nil, err
	}
	var metadata []byte
	for len(table) >= entryHead {
		head := table[len(table)-entryHead:]
		size := int(binary.LittleEndian.Uint16(head))
		if size < entryHead || size > len(table) {
			return nil, fmt.Errorf("%w: an entry of its table has a wrong size", ErrFirmware)
		}
		data := table[len(table)-size : len(table)-entryHead]
		switch id := head[2:]; {
		case bytes.Equal(id, guidMetadata):
			metadata = data
		case len(data) < 4:
		case bytes.Equal(id, guidHashes):
			f.hashes = binary.LittleEndian.Uint32(data)
		case bytes.Equal(id, guidReset):
			f.resetEIP = binary.LittleEndian.Uint32(data)
		}
		table = table[:len(table)-size]
	}
	return f, f.readMetadata(metadata)
}

// footer is the table of GUIDs without the entry that says how large it is.
func footer(image []byte) ([]byte, error) {
	image = image[:len(image)-tableEnd]
	head := image[len(image)-entryHead:]
	if !bytes.Equal(head[2:], guidFooter) {
		return nil, fmt.Errorf("%w: it has no table of GUIDs", ErrFirmware)
	}
	size := int(binary.LittleEndian.Uint16(head))
	if size < entryHead || size > len(image) {
		return nil, fmt.Errorf("%w: its table of GUIDs has a wrong size", ErrFirmware)
	}
	return image[len(image)-size : len(image)-entryHead], nil
}

// readMetadata reads the list of sections, which lies as far before the end of the image
// as the entry says.
func (f *Firmware) readMetadata(entry []byte) error {
	if len(entry) < 4 {
		return fmt.Errorf("%w: it has no SEV metadata", ErrFirmware)
	}
	back := int64(binary.LittleEndian.Uint32(entry))
	if back < 16 || back > int64(len(f.image)) {
		return fmt.Errorf("%w: its SEV metadata lies elsewhere", ErrFirmware)
	}
	at := f.image[int64(len(f.image))-back:]
	size, n := binary.LittleEndian.Uint32(at[4:]), binary.LittleEndian.Uint32(at[12:])
	if string(at[:4]) != "ASEV" || binary.LittleEndian.Uint32(at[8:]) != 1 || n > maxSections || uint64(size) != 16+12*uint64(n) || int64(size) > back {
		return fmt.Errorf("%w: its SEV metadata is not of version 1", ErrFirmware)
	}
	var all uint64
	for d := at[16:size]; len(d) > 0; d = d[12:] {
		s := section{binary.LittleEndian.Uint32(d), binary.LittleEndian.Uint32(d[4:]), binary.LittleEndian.Uint32(d[8:])}
		if s.at%pageSize != 0 || s.size%pageSize != 0 || s.size == 0 || uint64(s.at)+uint64(s.size) > 1<<32 {
			return fmt.Errorf("%w: a section of %d bytes at %#x is not some pages", ErrFirmware, s.size, s.at)
		}
		if all += uint64(s.size); all > maxMemory {
			return fmt.Errorf("%w: its sections are larger than %d MiB", ErrFirmware, maxMemory>>20)
		}
		switch s.kind {
		case sectionMemory:
		case sectionSecrets, sectionCPUID, sectionSVSM, sectionHashes:
			if s.size != pageSize {
				return fmt.Errorf("%w: a section of kind %d is not one page", ErrFirmware, s.kind)
			}
		default:
			return fmt.Errorf("%w: a section has the unknown kind %d", ErrFirmware, s.kind)
		}
		f.sections = append(f.sections, s)
	}
	return nil
}

// guid parses a GUID of this package into the form that it has in images.
func guid(text string) []byte {
	var d1 uint32
	var d2, d3, d4 uint16
	var d5 uint64
	if _, err := fmt.Sscanf(text, "%08x-%04x-%04x-%04x-%012x", &d1, &d2, &d3, &d4, &d5); err != nil {
		panic("launch: " + text + " is no GUID")
	}
	out := binary.LittleEndian.AppendUint32(nil, d1)
	out = binary.LittleEndian.AppendUint16(out, d2)
	out = binary.LittleEndian.AppendUint16(out, d3)
	out = binary.BigEndian.AppendUint16(out, d4)
	return append(out, binary.BigEndian.AppendUint64(nil, d5)[2:]...)
}
