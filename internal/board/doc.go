// Package board shows invites and their answers in a browser, and as JSON to
// programs. It has two pages:
//
//   - [Answers] reads a ledger: which invites there are, by the time of their
//     events, how each was answered, and what was heard of one over time. Nothing
//     can be changed there.
//   - [Sandbox] shows what a sandbox holds: the invites, with buttons to answer
//     each as its recipient would, and the mails that arrived, with a preview.
//
// Both are plain HTML that works without any script. Where one may run, a small one
// looks every second whether there is news and puts in the parts that changed; it
// keeps the focus and what was unfolded. Nothing is loaded from anywhere else, and
// the Content Security Policy of each answer says so to the browser.
//
// # Who may see it
//
// Both show people's addresses. [Guard] is to stand before them: on a loopback
// address it lets only requests pass that were meant for this machine, and
// otherwise it asks for a token.
package board
