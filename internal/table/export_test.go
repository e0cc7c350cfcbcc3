package table

// MemberNames are the names that packed bodies refer to.
var MemberNames = memberNames
