package visitor

// Lost returns how many lost pages are remembered.
func (v *Visitors) Lost() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.lostCount
}
