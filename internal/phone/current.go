package phone

import "github.com/nyaruka/phonenumbers"

// current returns the number in its canonical form if it is in another, else nil.
func current(*phonenumbers.PhoneNumber) *phonenumbers.PhoneNumber { return nil }
