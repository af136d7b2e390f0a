package workflows

import (
	"encoding/json"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"segue/contract"
)

// visibility remembers the search attributes, so that only changes are written: each upsert
// is a history event and a visibility task.
type visibility struct{ written temporal.SearchAttributes }

// visibilityOf returns the attributes with which the run was started: a run that continues
// another one has that one's.
func visibilityOf(ctx workflow.Context) visibility {
	return visibility{written: workflow.GetTypedSearchAttributes(ctx)}
}

func (v *visibility) keyword(key temporal.SearchAttributeKeyKeyword, text string) []temporal.SearchAttributeUpdate {
	value := contract.Keyword(text)
	switch last, _ := v.written.GetKeyword(key); value {
	case last:
		return nil
	case "":
		return []temporal.SearchAttributeUpdate{key.ValueUnset()}
	default:
		return []temporal.SearchAttributeUpdate{key.ValueSet(value)}
	}
}

// listLimit bounds a keyword list, in bytes of its JSON: servers take 2 KiB, and fail the
// task beyond that.
const listLimit = 1536

// keywords returns the update for the first of the texts, as many as fit.
func (v *visibility) keywords(key temporal.SearchAttributeKeyKeywordList, texts []string) []temporal.SearchAttributeUpdate {
	values, size := []string{}, len("[]")
	for _, text := range texts {
		value := contract.Keyword(text)
		encoded, err := json.Marshal(value)
		if size += len(encoded) + len(","); err != nil || size > listLimit {
			break
		}
		values = append(values, value)
	}
	switch last, _ := v.written.GetKeywordList(key); {
	case slices.Equal(last, values):
		return nil
	case len(values) == 0:
		return []temporal.SearchAttributeUpdate{key.ValueUnset()}
	default:
		return []temporal.SearchAttributeUpdate{key.ValueSet(values)}
	}
}

func (v *visibility) number(key temporal.SearchAttributeKeyInt64, value int) []temporal.SearchAttributeUpdate {
	if last, _ := v.written.GetInt64(key); last == int64(value) {
		return nil
	}
	return []temporal.SearchAttributeUpdate{key.ValueSet(int64(value))}
}

// write writes what changed, in one upsert.
func (v *visibility) write(ctx workflow.Context, changes ...[]temporal.SearchAttributeUpdate) {
	updates := slices.Concat(changes...)
	if len(updates) == 0 {
		return
	}
	if err := workflow.UpsertTypedSearchAttributes(ctx, updates...); err != nil {
		workflow.GetLogger(ctx).Error("search attributes not written", "error", err)
		return
	}
	v.written = workflow.GetTypedSearchAttributes(ctx)
}
