package hsmtest

import "testing"

func TestMemoryConforms(t *testing.T) { Conformance(t, newStorage(t).open) }
