package main

// The certificate authorities: Mozilla's list, as the Go project keeps it. The module is pinned in
// go.sum by its contents, so the same commit has the same list on every machine; a machine's own
// /etc/ssl/certs would not be. It is data of Mozilla's (MPL-2.0): docs/images.md.

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// rootsModule is where they come from, for the bill of materials.
const rootsModule = "golang.org/x/crypto/x509roots/fallback"

// authorities is the list as PEM, each with its name above it as a comment.
//
// Mozilla trusts some authorities only for certificates from before a day. A file of PEM cannot say
// so: these are left out. What they signed before that day runs out within thirteen months of it.
func authorities() ([]byte, error) {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		certificate, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			return nil, fmt.Errorf("an authority of %s: %w", rootsModule, err)
		}
		fmt.Fprintf(&text, "# %s\n", certificate.Subject)
		block := pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}
		if err := pem.Encode(&text, &block); err != nil {
			return nil, err
		}
	}
	return text.Bytes(), nil
}
