package justcalltest

// ReadDescription is [readDescription].
var ReadDescription = readDescription

// Checked reports whether a response of an operation, of status 200, was compared.
func (s *Server) Checked(operation string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.checked[operation]
}
