package connect_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"segue/connect"
)

func names() []string {
	var all []string
	for _, attribute := range connect.SearchAttributes {
		all = append(all, attribute.Name)
	}
	return all
}

func TestSetupMakesANamespaceUsable(t *testing.T) {
	namespace := fresh("contact-center")
	c := dial(t, namespace)

	_, err := connect.Missing(t.Context(), c, namespace)
	require.ErrorContains(t, err, "segue setup")

	report, err := connect.Setup(t.Context(), c, namespace, 48*time.Hour)
	require.NoError(t, err)
	require.True(t, report.Registered)
	require.Equal(t, names(), report.Added)
	require.Empty(t, report.Present)
	require.Contains(t, report.String(), "SegueParked")

	missing, err := connect.Missing(t.Context(), c, namespace)
	require.NoError(t, err)
	require.Empty(t, missing)

	described, err := c.WorkflowService().DescribeNamespace(t.Context(), &workflowservice.DescribeNamespaceRequest{Namespace: namespace})
	require.NoError(t, err)
	require.Equal(t, 48*time.Hour, described.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration())

	_, err = c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "interaction/acme/1", TaskQueue: "nobody", TypedSearchAttributes: everyAttribute(),
	}, "Interaction")
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		count, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{
			Query: `SegueState = "queued" AND SegueCall = "queued" AND SegueParked > 2`,
		})
		return err == nil && count.GetCount() == 1
	}, patience, pollEvery)

	again, err := connect.Setup(t.Context(), c, namespace, time.Hour)
	require.NoError(t, err)
	require.False(t, again.Registered)
	require.Empty(t, again.Added)
	require.Equal(t, names(), again.Present)
	require.Contains(t, again.String(), "exists")
}

// everyAttribute sets all search attributes, with their types.
func everyAttribute() temporal.SearchAttributes {
	var updates []temporal.SearchAttributeUpdate
	for _, attribute := range connect.SearchAttributes {
		switch attribute.Type {
		case enumspb.INDEXED_VALUE_TYPE_INT:
			updates = append(updates, temporal.NewSearchAttributeKeyInt64(attribute.Name).ValueSet(3))
		case enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST:
			updates = append(updates, temporal.NewSearchAttributeKeyKeywordList(attribute.Name).ValueSet([]string{"queued", "bea"}))
		default:
			updates = append(updates, temporal.NewSearchAttributeKeyKeyword(attribute.Name).ValueSet("queued"))
		}
	}
	return temporal.NewSearchAttributes(updates...)
}

func TestSeveralSetupsAtOnceAllSucceed(t *testing.T) {
	namespace := fresh("shared")
	c := dial(t, namespace)
	var wait sync.WaitGroup
	failures := make([]error, 4)
	for i := range failures {
		wait.Go(func() { _, failures[i] = connect.Setup(t.Context(), c, namespace, 0) })
	}
	wait.Wait()
	for _, err := range failures {
		require.NoError(t, err)
	}
	missing, err := connect.Missing(t.Context(), c, namespace)
	require.NoError(t, err)
	require.Empty(t, missing)
}

func TestMissingReturnsTheMissingAttributes(t *testing.T) {
	missing, err := connect.Missing(t.Context(), dial(t, "default"), "default")
	require.NoError(t, err)
	require.Equal(t, names(), missing)
}

func TestAnAttributeOfAnotherTypeIsAnError(t *testing.T) {
	namespace := fresh("taken")
	c := dial(t, namespace)
	_, err := c.WorkflowService().RegisterNamespace(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: namespace, WorkflowExecutionRetentionPeriod: durationOf(24 * time.Hour),
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := c.OperatorService().AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
			Namespace: namespace, SearchAttributes: map[string]enumspb.IndexedValueType{"SegueState": enumspb.INDEXED_VALUE_TYPE_TEXT},
		})
		return err == nil
	}, patience, pollEvery)

	var wrong *connect.WrongTypeError
	require.Eventually(t, func() bool {
		_, err = connect.Missing(t.Context(), c, namespace)
		return err != nil
	}, patience, pollEvery)
	require.ErrorAs(t, err, &wrong)
	require.Equal(t, "SegueState", wrong.Want.Name)

	_, err = connect.Setup(t.Context(), c, namespace, 0)
	require.ErrorAs(t, err, &wrong)
	require.ErrorContains(t, err, "SegueState of namespace "+namespace+" is Text, and Segue needs Keyword")
}

// denied returns a client to which Temporal denies the operator service.
func denied(t *testing.T, namespace string) client.Client {
	t.Helper()
	refuse := func(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		if strings.Contains(method, ".operatorservice.") {
			return status.Error(codes.PermissionDenied, "not for you")
		}
		return invoke(ctx, method, req, reply, conn, options...)
	}
	plugin, err := temporal.NewSimplePlugin(temporal.SimplePluginOptions{
		Name: "denied",
		ConfigureClient: func(_ context.Context, options client.PluginConfigureClientOptions) error {
			dial := &options.ClientOptions.ConnectionOptions.DialOptions
			*dial = append(*dial, grpc.WithChainUnaryInterceptor(refuse))
			return nil
		},
	})
	require.NoError(t, err)
	c, err := connect.Dial(t.Context(), connect.Settings{Address: address, Namespace: namespace}, nil, plugin)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func TestADeniedOperatorServiceIsNotNeeded(t *testing.T) {
	namespace := fresh("denied")
	missing, err := connect.Missing(t.Context(), denied(t, "default"), "default")
	require.NoError(t, err)
	require.Equal(t, names(), missing)
	_, err = connect.Setup(t.Context(), denied(t, "default"), "default", 0)
	require.ErrorContains(t, err, "create there: SegueState=Keyword, SegueChannel=Keyword")

	_, err = connect.Setup(t.Context(), dial(t, namespace), namespace, 0)
	require.NoError(t, err)
	missing, err = connect.Missing(t.Context(), denied(t, namespace), namespace)
	require.NoError(t, err)
	require.Empty(t, missing)
	report, err := connect.Setup(t.Context(), denied(t, namespace), namespace, 0)
	require.NoError(t, err)
	require.Equal(t, names(), report.Present)

	add(t, fresh("denied-other"), map[string]enumspb.IndexedValueType{"SegueParked": enumspb.INDEXED_VALUE_TYPE_KEYWORD}, func(namespace string) {
		_, err = connect.Missing(t.Context(), denied(t, namespace), namespace)
		require.ErrorContains(t, err, "search attribute SegueParked of namespace "+namespace+" is not Int: remove it there")
	})
}

// add registers a namespace with search attributes, and calls then when queries accept them.
func add(t *testing.T, namespace string, attributes map[string]enumspb.IndexedValueType, then func(namespace string)) {
	t.Helper()
	c := dial(t, namespace)
	_, err := c.WorkflowService().RegisterNamespace(t.Context(), &workflowservice.RegisterNamespaceRequest{
		Namespace: namespace, WorkflowExecutionRetentionPeriod: durationOf(24 * time.Hour),
	})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, err := c.OperatorService().AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
			Namespace: namespace, SearchAttributes: attributes,
		})
		return err == nil
	}, patience, pollEvery)
	for name := range attributes {
		require.Eventually(t, func() bool {
			_, err := c.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{Query: name + " IS NULL"})
			return err == nil
		}, patience, pollEvery)
	}
	then(namespace)
}

func TestANamespaceMayHaveAttributesOfItsOwn(t *testing.T) {
	integer := enumspb.INDEXED_VALUE_TYPE_INT
	add(t, fresh("own"), map[string]enumspb.IndexedValueType{"Tier": integer, "Product": enumspb.INDEXED_VALUE_TYPE_KEYWORD}, func(namespace string) {
		report, err := connect.Setup(t.Context(), dial(t, namespace), namespace, 0)
		require.NoError(t, err)
		require.Equal(t, names(), report.Added)
	})
	for _, kind := range []enumspb.IndexedValueType{enumspb.INDEXED_VALUE_TYPE_KEYWORD, enumspb.INDEXED_VALUE_TYPE_TEXT} {
		add(t, fresh("listless"), map[string]enumspb.IndexedValueType{"SegueAgents": kind}, func(namespace string) {
			for range 2 { // the first adds the others
				_, err := connect.Setup(t.Context(), dial(t, namespace), namespace, 0)
				require.ErrorContains(t, err, "search attribute SegueAgents of namespace "+namespace+" is "+kind.String()+", and Segue needs KeywordList")
			}
		})
	}
	add(t, fresh("full"), map[string]enumspb.IndexedValueType{"Tier": integer, "Score": integer}, func(namespace string) {
		_, err := connect.Setup(t.Context(), dial(t, namespace), namespace, 0)
		require.ErrorContains(t, err, "a namespace on SQL has room for 10 Keyword and 3 Int in all")
		require.ErrorContains(t, err, "SegueParked=Int")
	})
}

func TestTheTableFitsSQLVisibility(t *testing.T) {
	count := map[enumspb.IndexedValueType]int{}
	for _, attribute := range connect.SearchAttributes {
		count[attribute.Type]++
	}
	require.Less(t, count[enumspb.INDEXED_VALUE_TYPE_KEYWORD], 10)
	require.Less(t, count[enumspb.INDEXED_VALUE_TYPE_INT], 3)
	require.Less(t, count[enumspb.INDEXED_VALUE_TYPE_KEYWORD_LIST], 3)
	require.Len(t, count, 3)

	types := connect.SearchAttributeTypes()
	require.Len(t, types, len(connect.SearchAttributes))
	require.Equal(t, "Keyword", types["SegueState"])
	require.Equal(t, "Int", types["SegueParked"])
	require.Equal(t, "KeywordList", types["SegueAgents"])
}
