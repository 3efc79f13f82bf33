package address_test

import (
	"fmt"

	"github.com/invitemailer/invitemailer/internal/address"
)

func ExampleParse() {
	a, err := address.Parse("Ada.Lovelace@BÜCHER.example")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(a)       // on the wire
	fmt.Println(a.Key()) // to compare and to store by
	// Output:
	// Ada.Lovelace@xn--bcher-kva.example
	// ada.lovelace@xn--bcher-kva.example
}
