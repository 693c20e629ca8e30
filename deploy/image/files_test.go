package main

import (
	"bytes"
	"testing"
)

// Go's reader takes an archive without it; GNU tar and others call such a layer broken.
func TestALayerEndsAsATarDoes(t *testing.T) {
	packed, err := archive([]File{{Path: "etc/name", Data: []byte("an odd number of bytes."), Mode: 0o644}})
	if err != nil {
		t.Fatal(err)
	}
	if len(packed)%512 != 0 || !bytes.HasSuffix(packed, make([]byte, 1024)) {
		t.Errorf("%d bytes do not end with two empty blocks", len(packed))
	}
}
