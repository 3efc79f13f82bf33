package submission

// Moment is a point on the way of a message at which something has just been
// done, or is about to be. A process may die between any two of them.
type Moment string

// The moments, in order. Where commands are grouped, BeforeGroup and AfterGroup
// take the place of all from BeforeMail to AfterData, and mostly of those of
// RSET as well. AfterContent lies between the final dot and its reply:
// the message may have been accepted, and nobody knows.
const (
	BeforeConnect Moment = "smtp.connect.before"
	AfterConnect  Moment = "smtp.connect.after"
	BeforeReset   Moment = "smtp.reset.before"
	AfterReset    Moment = "smtp.reset.after"
	BeforeGroup   Moment = "smtp.group.before"
	AfterGroup    Moment = "smtp.group.after"
	BeforeMail    Moment = "smtp.mail.before"
	AfterMail     Moment = "smtp.mail.after"
	BeforeRcpt    Moment = "smtp.rcpt.before"
	AfterRcpt     Moment = "smtp.rcpt.after"
	BeforeData    Moment = "smtp.data.before"
	AfterData     Moment = "smtp.data.after"
	BeforeContent Moment = "smtp.content.before"
	AfterContent  Moment = "smtp.content.after"
	AfterReply    Moment = "smtp.reply.after"
)

// Moments lists every Moment, in order.
func Moments() []Moment {
	return []Moment{
		BeforeConnect, AfterConnect, BeforeReset, AfterReset, BeforeGroup, AfterGroup,
		BeforeMail, AfterMail, BeforeRcpt, AfterRcpt, BeforeData, AfterData, BeforeContent, AfterContent, AfterReply,
	}
}
