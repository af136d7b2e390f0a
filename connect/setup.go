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
	setupLimit    = time.Minute
	retryInterval = 100 * time.Millisecond
)

// Report is what Setup found and did.
type Report struct {
	// Namespace is the namespace, which is ready now.
	Namespace string
	// Registered is true if the namespace was missing and has been registered.
	Registered bool
	// Added are the search attributes that were missing and have been added, in the order of SearchAttributes.
	Added []string
	// Present are the search attributes that the namespace already had.
	Present []string
}

// String returns the report as one line.
func (r Report) String() string {
	namespace := "namespace " + r.Namespace + " exists"
	if r.Registered {
		namespace = "namespace " + r.Namespace + " registered"
	}
	if len(r.Added) == 0 {
		return namespace + ", with all " + fmt.Sprint(len(r.Present)) + " search attributes"
	}
	return namespace + ", search attributes added: " + strings.Join(r.Added, ", ")
}

// Setup registers the namespace and adds the search attributes that are missing, and returns when they can be used. It may
// be repeated, and several processes may run it at the same time. retention, DefaultRetention if zero, applies to a
// namespace that Setup registers; that of an existing namespace stays.
func Setup(ctx context.Context, c client.Client, namespace string, retention time.Duration) (Report, error) {
	ctx, cancel := withLimit(ctx, setupLimit)
	defer cancel()
	i := inspectorOf(c, namespace)
	report := Report{Namespace: namespace}
	var err error
	if report.Registered, err = i.registerNamespace(ctx, retention); err != nil {
		return report, fmt.Errorf("register namespace %s: %w", namespace, err)
	}
	if report.Added, err = i.addSearchAttributes(ctx); err != nil {
		return report, fmt.Errorf("add search attributes to namespace %s: %w", namespace, err)
	}
	report.Present = without(report.Added)
	return report, nil
}

func (i inspector) registerNamespace(ctx context.Context, retention time.Duration) (registered bool, err error) {
	_, err = i.workflows.DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: i.namespace})
	var missing *serviceerror.NamespaceNotFound
	if !errors.As(err, &missing) {
		return false, err
	}
	if retention == 0 {
		retention = DefaultRetention
	}
	_, err = i.workflows.RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace:                        i.namespace,
		Description:                      "contact-center interactions (Segue)",
		WorkflowExecutionRetentionPeriod: durationpb.New(retention),
	})
	var exists *serviceerror.NamespaceAlreadyExists
	if errors.As(err, &exists) {
		return false, nil
	}
	if isForbidden(err) {
		return false, fmt.Errorf("%w (this Temporal manages namespaces elsewhere, as Temporal Cloud does: create it there)", err)
	}
	return err == nil, err
}

// addSearchAttributes checks and adds the attributes until queries accept all of them: a new namespace is not known
// everywhere at once, and another setup may be running. If none is missing, it needs no permission to add any.
func (i inspector) addSearchAttributes(ctx context.Context) (added []string, err error) {
	tried := map[string]bool{}
	err = retry(ctx, func(ctx context.Context) error {
		missing, err := i.missing(ctx)
		if err != nil || len(missing) == 0 {
			return err
		}
		types := make(map[string]enumspb.IndexedValueType, len(missing))
		for _, attribute := range missing {
			types[attribute.Name] = attribute.Type
			tried[attribute.Name] = true
		}
		_, err = i.operator.AddSearchAttributes(ctx, &operatorservice.AddSearchAttributesRequest{
			Namespace: i.namespace, SearchAttributes: types,
		})
		if isForbidden(err) {
			return fmt.Errorf("%w (this Temporal manages search attributes elsewhere, as Temporal Cloud does; create there: %s)",
				err, strings.Join(described(missing), ", "))
		}
		var full *serviceerror.InvalidArgument
		if errors.As(err, &full) {
			return fmt.Errorf("%w (Segue needs %s; a namespace on SQL has room for 10 Keyword and 3 Int in all: remove some, or use another namespace)",
				err, strings.Join(described(missing), ", "))
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
