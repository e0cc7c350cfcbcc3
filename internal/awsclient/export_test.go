package awsclient

// AttemptTimeout lets a test add up how long a call can take.
const AttemptTimeout = attemptTimeout
