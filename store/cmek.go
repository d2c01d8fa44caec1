package store

import (
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault"
)

// cmekJobs has the rotations of customer-managed keys, which are told apart
// from the keys themselves: those are nowhere.
var cmekJobs = table[vault.CMEKJob]{name: "cmek-job", version: 1}

// CMEKJob implements vault.Tx.
func (t *Tx) CMEKJob(v, job id.ID) (vault.CMEKJob, bool, error) {
	return cmekJobs.get(t, pair(v, job))
}

// PutCMEKJob implements vault.Tx.
func (t *Tx) PutCMEKJob(j vault.CMEKJob) error { return cmekJobs.put(t, pair(j.Vault, j.ID), j) }

// DeleteCMEKJob implements vault.Tx.
func (t *Tx) DeleteCMEKJob(v, job id.ID) error { return cmekJobs.delete(t, pair(v, job)) }

// CMEKJobs implements vault.Tx.
func (t *Tx) CMEKJobs(v id.ID) ([]vault.CMEKJob, error) { return collect(t, cmekJobs, v[:]) }
