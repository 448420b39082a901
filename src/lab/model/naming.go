package model

// Naming is the form in which a sender is named in what is delivered to others.
type Naming string

// The forms of naming.
const (
	LIDWithPhone Naming = ""               // by LID, with the phone number beside it
	LIDOnly      Naming = "lid_only"       // by LID alone
	PhoneWithLID Naming = "phone_with_lid" // by phone number, with the LID beside it
	PhoneOnly    Naming = "phone_only"     // by phone number alone
)
