// Package hours measures business time: time that passes while a firm is open.
//
// Hours are what the firm's clock on the wall shows. A calendar is open at an instant
// if the clock then shows a time within the hours of the day that the calendar on the
// wall shows. So the hour that is left out in spring is no business time, and the one
// that comes twice in autumn counts twice, if the hours include it.
//
// It is pure: no clock, no I/O.
package hours
