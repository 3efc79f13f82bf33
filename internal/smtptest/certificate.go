package smtptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net"
	"time"
)

// Certificate is a self-signed server certificate made in memory.
type Certificate struct {
	TLS *tls.Config // for the server
	PEM []byte      // what a client must trust
}

// NewCertificate makes a certificate for "localhost" and the loopback addresses, valid for ten
// years. It panics if the system has no random numbers.
func NewCertificate() *Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic("smtptest: generate key: " + err.Error())
	}
	now := time.Now()
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: "submissiontest"},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.AddDate(10, 0, 0),
		BasicConstraintsValid: true,
		IsCA:                  true,
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic("smtptest: create certificate: " + err.Error())
	}
	own := []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
	return &Certificate{
		TLS: &tls.Config{Certificates: own, MinVersion: tls.VersionTLS12},
		PEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	}
}
