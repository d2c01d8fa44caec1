package attest

import (
	"encoding/binary"
	"encoding/hex"
)

const (
	tableEntry = 24      // GUID, offset, length; all little-endian
	maxTable   = 4 << 12 // what the kernel takes from the host: SEV_FW_BLOB_MAX_SIZE
)

// guids of what AMD puts into the table (56421, MSG_REPORT_REQ), as they are in
// memory. An ASVK comes in the ASK's place.
func certificateGUID(guid string) bool {
	switch guid {
	case "63da758de6644564adc5f4b93be8accd", // VCEK
		"a8074bc2a25a483eaae639c045a0b8a1", // VLEK
		"4ab7b379bbac4fe4a02f05aef327c782", // ASK
		"c0b406a4a803495297433fb6014cd0ae": // ARK
		return true
	}
	return false
}

// parseTable reads the host's certificate table (GHCB specification): entries,
// one of zeros, then what they point at. Entries of unknown GUID are skipped. The
// host is the adversary here, and this is the first thing of it that is parsed.
func parseTable(raw []byte) (ders [][]byte, err error) {
	if len(raw) > maxTable {
		return nil, errTable
	}
	for at := 0; len(raw) > 0; at += tableEntry {
		if at+tableEntry > len(raw) {
			return nil, errTable // no entry of zeros
		}
		entry := raw[at : at+tableEntry]
		if [tableEntry]byte(entry) == ([tableEntry]byte{}) {
			break
		}
		if !certificateGUID(hex.EncodeToString(entry[:16])) {
			continue
		}
		// In 64 bits, so that the sum of the two cannot wrap.
		offset := uint64(binary.LittleEndian.Uint32(entry[16:]))
		length := uint64(binary.LittleEndian.Uint32(entry[20:]))
		if offset < uint64(at+tableEntry) || length == 0 || length > maxCertificate || offset+length > uint64(len(raw)) {
			return nil, errTable
		}
		if len(ders) == maxCertificates {
			return nil, errTable
		}
		ders = append(ders, raw[offset:offset+length])
	}
	return ders, nil
}
