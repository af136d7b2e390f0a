package cut_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"segue/e2e/cut"
)

func TestReset(t *testing.T) {
	p := cut.Before(t, startEcho(t))
	c := connect(t, p)
	c.says("hello")
	c.hears("hello")
	p.Reset()
	require.NoError(t, c.conn.SetReadDeadline(time.Now().Add(patience)))
	_, err := c.lines.ReadByte()
	require.ErrorIs(t, err, syscall.ECONNRESET)
	c = connect(t, p)
	c.says("again")
	c.hears("again")
}
