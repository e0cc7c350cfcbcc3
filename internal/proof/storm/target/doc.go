// Package target has the stacks that a storm plays against.
//
// [Process] is a local stack in a process of its own, "ringback serve", that can
// be killed in the middle of the storm and started again on the same folder.
// [Stack] is any stack on AWS, or on stand-ins for it: its alerts come through a
// [Subscription], a temporary queue.
package target
