package connect

import (
	"context"
	"errors"
	"fmt"
	"strings"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
)

// Missing returns the names of Segue's search attributes that a namespace lacks, in the order of SearchAttributes. It
// reports an error, with a remedy, if the namespace does not exist or has an attribute of the wrong type. It needs only
// the permission to list workflows.
func Missing(ctx context.Context, c client.Client, namespace string) ([]string, error) {
	missing, err := inspectorOf(c, namespace).missing(ctx)
	var noNamespace *serviceerror.NamespaceNotFound
	if errors.As(err, &noNamespace) {
		return nil, fmt.Errorf("%w (`segue setup` registers it)", err)
	}
	if err != nil {
		return nil, fmt.Errorf("check the search attributes of namespace %s: %w", namespace, err)
	}
	var names []string
	for _, attribute := range missing {
		names = append(names, attribute.Name)
	}
	return names, nil
}

// WrongTypeError is the error of a namespace that has one of Segue's search attributes with another type.
type WrongTypeError struct {
	Namespace string
	// Has is of an unspecified type if the server does not report the type.
	Has, Want SearchAttribute
}

func (e *WrongTypeError) Error() string {
	has := "not"
	if e.Has.Type != enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED {
		has = e.Has.Type.String() + ", and Segue needs"
	}
	return fmt.Sprintf("search attribute %s of namespace %s is %s %s: remove it there, or use another namespace",
		e.Want.Name, e.Namespace, has, e.Want.Type)
}

// inspector finds out which search attributes a namespace has, by queries that name them: some clouds deny access to the
// operator service, which lists them.
type inspector struct {
	workflows workflowservice.WorkflowServiceClient
	operator  operatorservice.OperatorServiceClient
	namespace string
}

func inspectorOf(c client.Client, namespace string) inspector {
	return inspector{workflows: c.WorkflowService(), operator: c.OperatorService(), namespace: namespace}
}

// missing returns the attributes of SearchAttributes that the namespace lacks. One query with all of them shows that none
// is missing; if it is rejected, missing queries each attribute.
func (i inspector) missing(ctx context.Context) ([]SearchAttribute, error) {
	all := make([]string, len(SearchAttributes))
	for n, attribute := range SearchAttributes {
		all[n] = attribute.condition()
	}
	if fits, err := i.accepts(ctx, strings.Join(all, " AND ")); err != nil {
		return nil, err
	} else if fits {
		return nil, i.checkLists(ctx)
	}
	var missing []SearchAttribute
	for _, attribute := range SearchAttributes {
		known, err := i.accepts(ctx, attribute.Name+" IS NULL")
		if err != nil {
			return nil, err
		}
		if !known {
			missing = append(missing, attribute)
			continue
		}
		if fits, err := i.accepts(ctx, attribute.condition()); err != nil {
			return nil, err
		} else if !fits {
			return nil, &WrongTypeError{Namespace: i.namespace, Has: SearchAttribute{attribute.Name, i.typeOf(ctx, attribute.Name)}, Want: attribute}
		}
	}
	return missing, nil
}

// checkLists reports an error if a KeywordList is a Keyword, which accepts the same conditions and more.
func (i inspector) checkLists(ctx context.Context) error {
	for _, attribute := range SearchAttributes {
		if attribute.Type != list {
			continue
		}
		isKeyword, err := i.accepts(ctx, SearchAttribute{attribute.Name, keyword}.condition())
		if err != nil {
			return err
		}
		if isKeyword {
			return &WrongTypeError{Namespace: i.namespace, Has: SearchAttribute{attribute.Name, keyword}, Want: attribute}
		}
	}
	return nil
}

// condition returns a condition that an attribute of another type does not accept; but see checkLists.
func (s SearchAttribute) condition() string {
	switch s.Type {
	case keyword:
		return s.Name + " STARTS_WITH 'segue'" // neither a Text nor a list accepts STARTS_WITH
	case list:
		return s.Name + " IN ('segue')" // a Text does not accept IN
	}
	return s.Name + " = 0"
}

// accepts reports whether the namespace accepts a condition. The query counts the runs of a workflow that does not exist, so
// that it costs nothing.
func (i inspector) accepts(ctx context.Context, condition string) (bool, error) {
	_, err := i.workflows.CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{
		Namespace: i.namespace, Query: "WorkflowId = 'segue' AND " + condition,
	})
	var invalid *serviceerror.InvalidArgument
	if errors.As(err, &invalid) {
		return false, nil
	}
	return err == nil, err
}

// typeOf returns the type of an attribute for an error message, if the operator service answers.
func (i inspector) typeOf(ctx context.Context, name string) enumspb.IndexedValueType {
	present, err := i.operator.ListSearchAttributes(ctx, &operatorservice.ListSearchAttributesRequest{Namespace: i.namespace})
	if err != nil {
		return enumspb.INDEXED_VALUE_TYPE_UNSPECIFIED
	}
	return present.GetCustomAttributes()[name]
}

// without returns the names in SearchAttributes that are not among the given ones.
func without(names []string) []string {
	given := map[string]bool{}
	for _, name := range names {
		given[name] = true
	}
	var rest []string
	for _, attribute := range SearchAttributes {
		if !given[attribute.Name] {
			rest = append(rest, attribute.Name)
		}
	}
	return rest
}

func described(attributes []SearchAttribute) []string {
	texts := make([]string, len(attributes))
	for i, attribute := range attributes {
		texts[i] = attribute.Name + "=" + attribute.Type.String()
	}
	return texts
}
