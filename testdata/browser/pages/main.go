// Pages writes the preview pages that the browser tests open:
//
//	go run ./testdata/browser/pages OUT MAIL.eml...
//
// OUT/preview.html shows the mails given, as readers in New York see them. OUT/hostile.html shows
// mails that try to break out of it or to reach a network, and OUT/empty.html none.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/invitemailer/invitemailer/internal/preview"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: pages OUT MAIL.eml...")
		os.Exit(64)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out string, paths []string) error {
	var mails, hostile []preview.Mail
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		mails = append(mails, preview.Mail{Name: filepath.Base(path), Raw: raw, Outcome: "sent",
			ReaderTZID: "America/New_York"})
	}
	for _, text := range attacks {
		hostile = append(hostile, attack(text))
	}
	for name, mails := range map[string][]preview.Mail{"preview": mails, "hostile": hostile, "empty": nil} {
		if err := write(filepath.Join(out, name+".html"), mails); err != nil {
			return err
		}
	}
	return nil
}

func write(path string, mails []preview.Mail) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closed := file.Close(); err == nil {
			err = closed
		}
	}()
	return preview.Page(file, mails, preview.Options{Now: time.Now()})
}

const evil = "http://evil.example/"

// attacks are HTML that reaches for a network or out of its frame, in each way that a browser has.
var attacks = []string{
	`<p>pictures</p><img src="` + evil + `img"><picture><source srcset="` + evil + `set"><img></picture>` +
		`<video poster="` + evil + `poster" src="` + evil + `video"></video><audio src="` + evil +
		`audio" autoplay></audio>` +
		`<table background="` + evil + `table"></table><input type=image src="` + evil + `input">` +
		`<svg><image href="` + evil + `svg"/><use href="` + evil + `use#a"/></svg>`,
	`<p>styles</p><style>@import "` + evil + `import"; @font-face { font-family: f; src: url(` + evil + `font) }
		p { font-family: f; background: url(` + evil + `style); cursor: url(` + evil + `cursor), auto }</style>` +
		`<link rel=stylesheet href="` + evil + `css"><p style="background:url(` + evil + `inline)">x</p>`,
	`<p>hints</p><link rel=preconnect href="` + evil +
		`"><link rel=dns-prefetch href="//evil.example"><link rel=prefetch href="` + evil +
		`prefetch"><link rel=preload as=image href="` + evil + `preload"><link rel=icon href="` + evil + `icon">` +
		`<iframe srcdoc='<link rel=preconnect href="` + evil + `">'></iframe>` +
		`<template shadowrootmode=open><link rel=preconnect href="` + evil + `"></template>`,
	`<p>frames</p><iframe src="` + evil + `iframe"></iframe><object data="` + evil + `object"></object><embed src="` +
		evil + `embed">`,
	`<meta http-equiv=refresh content="0;url=` + evil + `refresh"><base href="` + evil +
		`base/"><p>moves</p><img src=relative>`,
	`<p>scripts</p><script>top.pwned = 1; alert(1); fetch("` + evil +
		`fetch")</script><img src=x onerror="top.pwned = 1; alert(2)">` +
		`<svg onload="alert(3)"></svg><script src="` + evil + `script"></script><body onload="alert(4)">`,
	`<p>out</p></iframe></template></details></main></body></html><script>window.pwned = 1; alert(5)</script><img src="` + evil + `out">`,
	`"><p>quotes</p></iframe><img src="` + evil + `quotes" onerror="window.pwned = 1"><a id=attack href="x` + "\x00" +
		`">`,
	`<p>links</p><p><a id="away" href="` + evil + `away" ping="` + evil + `ping">away</a> <a id="top" target="_top" href="` + evil + `top">top</a>
		<a id="new" target="_blank" href="` + evil + `new">new</a> <a id="script" href="javascript:top.pwned=1">script</a></p>
		<form action="` + evil + `form"><button id="send">send</button></form>`,
}

// attack is a mail that has the text everywhere.
func attack(text string) preview.Mail {
	head := "From: x\r\nTo: " + text + "\r\nSubject: " + text + "\r\n"
	raw := head + "Content-Type: multipart/alternative; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\n" + text + "\r\n" +
		"--b\r\nContent-Type: text/html\r\n\r\n" + text + "\r\n" +
		"--b\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:" +
		text + "\r\nLOCATION:" + text + "\r\nDESCRIPTION:" + text +
		"\r\nDTSTART:20270429T093000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n"
	return preview.Mail{Name: text, Raw: []byte(raw), InviteID: text, Kind: text, Outcome: text, ReaderTZID: text}
}
