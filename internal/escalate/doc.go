// Package escalate reminds people of callers who still wait.
//
// [Plan] says when, and is pure: who has waited for so much business time is one level
// more urgent. Nobody is reminded while somebody takes care of the caller, and each
// level is told once in an episode, however often the caller calls.
//
// [Runner] does it, every minute. So that a run costs what is due and not what is open,
// it reads timers: items in a partition for each minute, which only say whose state to
// look at. What counts is the state that is read then. So a timer too many does no
// harm, and whoever changes a state only has to call [Runner.Arm].
package escalate
