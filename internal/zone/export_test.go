package zone

// LocalWith is Local on another machine.
var LocalWith = local
