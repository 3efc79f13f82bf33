package cronofytest

import "strconv"

// Fill adds n invites like the one that the server holds, without a request for each.
func (s *Server) Fill(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, i := range s.invites {
		for n := range n {
			like, at := *i, inviteKey{id: "like-" + strconv.Itoa(n), email: key.email}
			like.ID, like.UID = at.id, at.uid()
			s.invites[at] = &like
			s.uids[like.UID] = at
		}
		return
	}
}

// What posts callbacks where no other client was given, and the error for a URL elsewhere.
var (
	LoopbackClient  = loopbackClient
	ErrCallbackHost = errCallbackHost
)
