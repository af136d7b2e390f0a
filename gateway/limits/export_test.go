package limits

// Known returns how many credentials and networks are remembered.
func (l *Limits) Known() (credentials, remotes int) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return len(l.credentials), len(l.remotes)
}
