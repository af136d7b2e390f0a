package index

// deque is a queue with random access.
type deque[T any] struct {
	items []T
	head  int
}

func (d *deque[T]) len() int    { return len(d.items) - d.head }
func (d *deque[T]) at(n int) *T { return &d.items[d.head+n] }
func (d *deque[T]) push(item T) { d.items = append(d.items, item) }
func (d *deque[T]) front() T    { return d.items[d.head] }

// drop removes the first item. It copies the rest now and then, so that memory is given back.
func (d *deque[T]) drop() {
	var zero T
	d.items[d.head] = zero
	d.head++
	if d.head >= 1024 && 2*d.head >= len(d.items) || d.head == len(d.items) {
		d.items = append(make([]T, 0, d.len()+d.len()/4), d.items[d.head:]...)
		d.head = 0
	}
}
