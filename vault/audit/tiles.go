package audit

import (
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// The Merkle tree is kept as tiles: a level-0 tile holds up to 256 leaf
// hashes, a level-1 tile up to 256 roots of full level-0 tiles, and so on. All
// other nodes follow from these, so an append touches one small value, 255
// times out of 256.
const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	hashSize   = tlog.HashSize
)

// appendTile puts the hash of leaf seq in its tile and, where that fills the
// tile, its root in the tile above. A tile is made with room for all of its hashes,
// and the next is written behind those that are there: nobody reads beyond the
// length that they were given, and who comes after one that failed writes over it.
func appendTile(tx Tx, seq uint64, h tlog.Hash) error {
	for level, at := 0, seq; ; level++ {
		n, used := at/tileWidth, int(at%tileWidth)
		tile, err := []byte(nil), error(nil)
		if used == 0 {
			tile = make([]byte, 0, tileWidth*hashSize)
		} else if tile, err = tx.AuditTile(level, n); err != nil {
			return fmt.Errorf("audit: tile %d/%d: %w", level, n, err)
		}
		if len(tile) != used*hashSize {
			return fmt.Errorf("audit: tile %d/%d has %d bytes instead of %d", level, n, len(tile), used*hashSize)
		}
		tile = append(tile, h[:]...)
		if err := tx.PutAuditTile(level, n, tile); err != nil {
			return fmt.Errorf("audit: tile %d/%d: %w", level, n, err)
		}
		if used+1 < tileWidth {
			return nil
		}
		h, at = tileRoot(tile), n
	}
}

// tileRoot returns the root over a full tile.
func tileRoot(tile []byte) tlog.Hash {
	var nodes [tileWidth]tlog.Hash
	for i := range nodes {
		nodes[i] = tlog.Hash(tile[i*hashSize:])
	}
	for n := tileWidth / 2; n > 0; n /= 2 {
		for i := range n {
			nodes[i] = tlog.NodeHash(nodes[2*i], nodes[2*i+1])
		}
	}
	return nodes[0]
}

// tiles reads the nodes of the tree that are stored, or follow from stored
// ones, for tlog's proofs.
type tiles struct{ tx Tx }

// ReadHashes implements tlog.HashReader.
func (t tiles) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		at := tlog.TileForIndex(tileHeight, index)
		data, err := t.tx.AuditTile(at.L, uint64(at.N))
		if err != nil {
			return nil, fmt.Errorf("audit: tile %d/%d: %w", at.L, at.N, err)
		}
		if len(data) < at.W*hashSize {
			return nil, fmt.Errorf("%w: tile %d/%d has %d bytes instead of %d", errTile, at.L, at.N, len(data), at.W*hashSize)
		}
		if hashes[i], err = tlog.HashFromTile(at, data[:at.W*hashSize], index); err != nil {
			return nil, fmt.Errorf("%w: tile %d/%d: %w", errTile, at.L, at.N, err)
		}
	}
	return hashes, nil
}

// rootAt returns the root over the first size leaves.
func rootAt(tx Tx, size uint64) (tlog.Hash, error) {
	return tlog.TreeHash(int64(size), tiles{tx})
}
