package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"
)

const (
	// DefaultRetention is how long a namespace that Setup registers keeps closed workflows.
	DefaultRetention = 72 * time.Hour
	// setupLimit bounds a setup whose context sets no limit. A cluster takes some ten seconds to notice a new namespace.
	setupLimit = time.Minute
	askAgain   = 100 * time.Millisecond
)

// Report says what Setup found and did.
type Report struct {
	// Namespace is the one that is ready now.
	Namespace string
	// Registered says that the namespace was missing and is there now.
	Registered bool
	// Added are the search attributes that were missing, in the order of the table.
	Added []string
	// Present are those that were there already.
	Present []string
}

// String tells it in one line.
func (r Report) String() string {
	namespace := "namespace " + r.Namespace + " was there"
	if r.Registered {
		namespace = "namespace " + r.Namespace + " registered"
	}
	if len(r.Added) == 0 {
		return namespace + ", all " + fmt.Sprint(len(r.Present)) + " search attributes too"
	}
	return namespace + ", search attributes added: " + strings.Join(r.Added, ", ")
}

// Setup registers the namespace and the search attributes, as far as they are missing, and returns when they can be used.
// It may be repeated, and run at the same time by several. Retention, DefaultRetention when zero, is for a namespace that
// it registers; that of an existing one stays.
func Setup(ctx context.Context, c client.Client, namespace string, retention time.Duration) (Report, error) {
	ctx, cancel := bounded(ctx, setupLimit)
	defer cancel()
	s := lookIn(c, namespace)
	report := Report{Namespace: namespace}
	var err error
	if report.Registered, err = s.registerNamespace(ctx, retention); err != nil {
		return report, fmt.Errorf("register namespace %s: %w", namespace, err)
	}
	if report.Added, err = s.addSearchAttributes(ctx); err != nil {
		return report, fmt.Errorf("add search attributes to namespace %s: %w", namespace, err)
	}
	report.Present = without(report.Added)
	return report, nil
}

func (l lookout) registerNamespace(ctx context.Context, retention time.Duration) (registered bool, err error) {
	_, err = l.workflows.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: l.namespace})
	var missing *serviceerror.NamespaceNotFound
	if !errors.As(err, &missing) {
		return false, err
	}
	if retention == 0 {
		retention = DefaultRetention
	}
	_, err = l.workflows.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace:                        l.namespace,
		Description:                      "contact-center interactions (Segue)",
		WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	var exists *serviceerror.NamespaceAlreadyExists
	if errors.As(err, &exists) {
		return false, nil
	}
	if refused(err) {
		return false, fmt.Errorf("%w (this Temporal has namespaces made elsewhere, as Temporal Cloud does: make it there)", err)
	}
	return err == nil, err
}

// addSearchAttributes asks, adds and asks again, until queries know them all: a new namespace is not known everywhere at
// once, and another setup may be at work. Where nothing is lacking, it needs no right to add anything.
func (l lookout) addSearchAttributes(ctx context.Context) (added []string, err error) {
	tried := map[string]bool{}
	err = again(ctx, func(ctx context.Context) error {
		lacking, err := l.lacking(ctx)
		if err != nil || len(lacking) == 0 {
			return err
		}
		types := make(map[string]enumspb.IndexedValueType, len(lacking))
		for _, attribute := range lacking {
			types[attribute.Name] = attribute.Type
			tried[attribute.Name] = true
		}
		_, err = l.operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
			Namespace: l.namespace, SearchAttributes: types,
		})
		if refused(err) {
			return fmt.Errorf("%w (this Temporal has search attributes made elsewhere, as Temporal Cloud does; make there: %s)",
				err, strings.Join(described(lacking), ", "))
		}
		var full *serviceerror.InvalidArgument
		if errors.As(err, &full) {
			return fmt.Errorf("%w (Segue needs %s; a namespace on SQL has room for 10 Keyword and 3 Int in all: remove some, or use another namespace)",
				err, strings.Join(described(lacking), ", "))
		}
		if err == nil {
			err = errNotYet
		}
		return err
	})
	for _, attribute := range SearchAttributes {
		if tried[attribute.Name] {
			added = append(added, attribute.Name)
		}
	}
	return added, err
}
