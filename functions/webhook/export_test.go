package main

// ReadEnvironment reads the configuration through getenv, so that a test sees
// which variables it asks for.
func ReadEnvironment(getenv func(string) string) error {
	_, err := configFromEnv(getenv)
	return err
}
