module github.com/invitemailer/invitemailer/testdata/mailhog

go 1.26.0

require (
	github.com/mailhog/data v1.0.1
	github.com/mailhog/smtp v1.0.1
	github.com/mailhog/storage v1.0.1
)

require (
	github.com/smartystreets/goconvey v1.8.1 // indirect
	gopkg.in/check.v1 v1.0.0-20201130134442-10cb98267c6c // indirect
	gopkg.in/mgo.v2 v2.0.0-20190816093944-a6b53ec6cb22 // indirect
	gopkg.in/yaml.v2 v2.4.0 // indirect
)
