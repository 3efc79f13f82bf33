package cronofytest

import "strconv"

// Fill adds n invites like the one that the server holds, without a request for each.
func (s *Server) Fill(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, i := range s.invites {
		for n := range n {
			like, at := *i, inviteKey{id: "like-" + strconv.Itoa(n), email: key.email}
			like.id, like.uid = at.id, at.uid()
			s.invites[at] = &like
			s.uids[like.uid] = at
		}
		return
	}
}

// LoopbackClient posts callbacks where no other client was given.
var LoopbackClient = loopbackClient
