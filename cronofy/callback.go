package cronofy

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// CallbackHeader is the header that holds the signatures of a callback.
const CallbackHeader = "Cronofy-HMAC-SHA256"

// CallbackSmartInvite is the type of a callback about a Smart Invite.
const CallbackSmartInvite = "smart_invite"

// ErrSignature says that no signature of a callback was made with any of the secrets.
var ErrSignature = errors.New("cronofy: no signature of the callback fits: check that the secret is this " +
	"application's client_secret")

// VerifyCallback checks that body, before anything is decoded, was signed with one of the secrets.
// Header is the value of [CallbackHeader], which holds one signature for each active secret of the
// application, separated by commas. The error is [ErrSignature].
//
// Only the body is signed, without a time: a callback can be replayed.
func VerifyCallback(body []byte, header string, secrets ...string) error {
	var signatures [][]byte
	for text := range strings.SplitSeq(header, ",") {
		signature, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err == nil && len(signature) == sha256.Size {
			signatures = append(signatures, signature)
		}
	}
	for _, secret := range secrets {
		if secret == "" {
			continue // an unset secret must not let anything pass
		}
		want := callbackMAC(body, secret)
		for _, signature := range signatures {
			if hmac.Equal(signature, want) {
				return nil
			}
		}
	}
	return ErrSignature
}

// SignCallback returns the signature of body for [CallbackHeader], for tests.
func SignCallback(body []byte, secret string) string {
	return base64.StdEncoding.EncodeToString(callbackMAC(body, secret))
}

func callbackMAC(body []byte, secret string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return mac.Sum(nil)
}

// Callback is what the API posts to the callback URL when a person answers.
type Callback struct {
	Notification Notification   `json:"notification"`
	SmartInvite  CallbackInvite `json:"smart_invite"`
}

// Notification says what a callback is about.
type Notification struct {
	// Type is [CallbackSmartInvite]. The API may add types: answer those with success.
	Type string `json:"type"`
}

// CallbackInvite is the Smart Invite that was answered.
type CallbackInvite struct {
	SmartInviteID string `json:"smart_invite_id"`
	CallbackURL   string `json:"callback_url,omitempty"`
	// Recipient is the state of the person invited; Recipients that of all, if sent.
	Recipient  *Participant  `json:"recipient,omitempty"`
	Recipients []Participant `json:"recipients,omitempty"`
	// Reply is the answer that caused this callback, maybe of a person it was forwarded to.
	Reply *Participant `json:"reply,omitempty"`
}

// ParseCallback reads the body of a callback that [VerifyCallback] let pass. An unknown type is no
// error, nor are unknown fields.
func ParseCallback(body []byte) (*Callback, error) {
	if trimmed := bytes.TrimSpace(body); !bytes.HasPrefix(trimmed, []byte("{")) {
		return nil, errors.New("cronofy: the callback is not a JSON object: check that the raw body was passed")
	}
	callback := new(Callback)
	if err := json.Unmarshal(body, callback); err != nil {
		return nil, fmt.Errorf("cronofy: the callback cannot be read: %w", err)
	}
	return callback, nil
}
