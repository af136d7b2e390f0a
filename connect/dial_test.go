package connect_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"segue/connect"
)

func TestConnectionsWithinOneMachineAreNotCompressed(t *testing.T) {
	f := serve(t, &frontend{}, nil)
	c, err := connect.Dial(t.Context(), connect.Settings{Address: f.address}, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	defer c.Close()
	require.Empty(t, (<-f.headers).Get("grpc-encoding"))
}

func TestAnUnreachableTemporalIsReportedWithARemedy(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())

	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = connect.Dial(ctx, connect.Settings{Address: address}, nil)
	require.ErrorContains(t, err, address)
	require.ErrorContains(t, err, "segue dev")
	require.ErrorContains(t, err, "SEGUE_TEMPORAL_ADDRESS")
}

func TestAnAPIKeyIsReadAgainForEachCall(t *testing.T) {
	f := serve(t, &frontend{}, nil)
	file := filepath.Join(t.TempDir(), "key")
	require.NoError(t, os.WriteFile(file, []byte("first\n"), 0o600))
	c, err := connect.Dial(t.Context(), connect.Settings{Address: f.address, APIKey: "file:" + file}, nil)
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, []string{"Bearer first"}, (<-f.headers).Get("authorization"))

	require.NoError(t, os.WriteFile(file, []byte("second\n"), 0o600))
	_, err = c.WorkflowService().GetSystemInfo(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"Bearer second"}, (<-f.headers).Get("authorization"))
}

func TestARejectedKeyIsReportedWithARemedy(t *testing.T) {
	f := serve(t, &frontend{key: "right"}, nil)
	t.Setenv("SEGUE_TEST_KEY", "wrong-secret")
	_, err := connect.Dial(t.Context(), connect.Settings{Address: f.address, APIKey: "env:SEGUE_TEST_KEY"}, nil)
	require.ErrorContains(t, err, "check that the API key")
	require.NotContains(t, err.Error(), "wrong-secret")
}

func TestAnAPIKeyMustBeAReference(t *testing.T) {
	for reference, want := range map[string]string{
		"eyJhbGciOi.secret":       "env:NAME or file:PATH",
		"env:SEGUE_TEST_NO_KEY":   "env:SEGUE_TEST_NO_KEY is empty",
		"file:/no/such/directory": "/no/such/directory",
	} {
		_, err := connect.Dial(t.Context(), connect.Settings{APIKey: reference}, nil)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), "secret")
	}
}

func TestMutualTLS(t *testing.T) {
	serverCert, _, _, serverPair := certificate(t)
	clientCert, clientKey, clients, _ := certificate(t)
	f := serve(t, &frontend{}, &tls.Config{
		Certificates: []tls.Certificate{serverPair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients,
	})
	for name, file := range map[string]string{"T_CA": serverCert, "T_CERT": clientCert, "T_KEY": clientKey} {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		t.Setenv(name, string(content))
	}
	secured := connect.TLS{CA: "file:" + serverCert, Cert: "file:" + clientCert, Key: "file:" + clientKey, ServerName: "temporal.test"}
	for _, trust := range []connect.TLS{secured, {CA: "env:T_CA", Cert: "env:T_CERT", Key: "env:T_KEY", ServerName: "temporal.test"}} {
		c, err := connect.Dial(t.Context(), connect.Settings{Address: f.address, TLS: trust}, nil)
		require.NoError(t, err)
		c.Close()
	}

	impostor := secured
	impostor.CA = "file:" + clientCert
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := connect.Dial(ctx, connect.Settings{Address: f.address, TLS: impostor}, nil)
	require.Error(t, err)
}

func TestInvalidCertificateFilesAreErrors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nonsense.pem")
	require.NoError(t, os.WriteFile(path, []byte("nonsense"), 0o600))
	nonsense := "file:" + path
	for _, secured := range []connect.TLS{{CA: nonsense}, {CA: nonsense + ".gone"}, {Cert: nonsense, Key: nonsense}} {
		_, err := connect.Dial(t.Context(), connect.Settings{TLS: secured}, nil)
		require.Error(t, err)
		require.ErrorContains(t, err, connect.DefaultAddress)
	}
}

func TestPluginsAndLoggerReachTheClient(t *testing.T) {
	var log bytes.Buffer
	var configured client.Options
	plugin, err := temporal.NewSimplePlugin(temporal.SimplePluginOptions{
		Name: "probe",
		ConfigureClient: func(_ context.Context, options client.PluginConfigureClientOptions) error {
			configured = *options.ClientOptions
			return nil
		},
	})
	require.NoError(t, err)
	c, err := connect.Dial(t.Context(), connect.Settings{Address: address}, slog.New(slog.NewTextHandler(&log, nil)), plugin)
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, connect.DefaultNamespace, configured.Namespace)
	configured.Logger.Info("heard")
	require.Contains(t, log.String(), "heard")
}
