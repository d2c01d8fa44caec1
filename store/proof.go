package store

// The table of appliance/backup, which defines what is in it.
var backups = rawTable{name: "backup"}

// The keys of backups.
var (
	keyLastBackup    = []byte("last")
	keyProvenRestore = []byte("proven")
)

// LastBackup is the record of the last backup, nil if none was made. It is
// shared: to be read only, and until t ends.
func (t *Tx) LastBackup() ([]byte, error) { return backups.peek(t, keyLastBackup) }

// PutLastBackup replaces it.
func (t *Tx) PutLastBackup(record []byte) error { return backups.put(t, keyLastBackup, record) }

// ProvenRestore is the record of the last restore that a drill proved, nil if
// there is none. It is shared like LastBackup's.
func (t *Tx) ProvenRestore() ([]byte, error) { return backups.peek(t, keyProvenRestore) }

// PutProvenRestore replaces it.
func (t *Tx) PutProvenRestore(record []byte) error {
	return backups.put(t, keyProvenRestore, record)
}
