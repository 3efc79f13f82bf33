package submission

// The errors that only tests tell apart.
var (
	ErrOutOfStep   = errOutOfStep
	ErrNoLogin     = errNoLogin
	ErrBadMessage  = errBadMessage
	ErrUnsupported = errUnsupported
	ErrTooLarge    = errTooLarge
	CauseOf        = causeOf
)
