//go:build !linux

package bolt

func (s *Store) forgetPages() {}
