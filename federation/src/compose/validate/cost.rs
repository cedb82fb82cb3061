//! `@cost` and `@listSize`: on what has a cost, about what is a list.

use apollo_compiler::ast::Type;

use super::{fields, is_interface};
use crate::compose::diagnostic::{Code, Report};
use crate::compose::subgraph::{Field, Kind, ListSize, Subgraph};

pub(super) fn validate(subgraph: &Subgraph, report: &mut Report) {
    for (def, field, at) in fields(subgraph) {
        let mut report = |code, message| report.error(code, at, &[&subgraph.name], message);
        if is_interface(def) && field.marks.cost.is_some() {
            let message =
                "@cost is on a field of an interface; put it on the implementations".to_owned();
            report(Code::CostAppliedToInterfaceField, message);
        }
        if let Some(size) = &field.marks.list_size {
            check_size(subgraph, field, size, &mut report);
        }
    }
}

fn check_size(
    subgraph: &Subgraph,
    field: &Field,
    size: &ListSize,
    report: &mut impl FnMut(Code, String),
) {
    if size.sized_fields.is_none() && !is_list(&field.ty) {
        let message = format!(
            "@listSize is on a field of type \"{}\", which is no list; name the lists in it with \"sizedFields\"",
            field.ty
        );
        report(Code::ListSizeAppliedToNonList, message);
    }
    if let Some(size) = size.assumed_size.filter(|size| *size < 0) {
        let message = format!("@listSize(assumedSize: {size}): a size is not negative");
        report(Code::ListSizeInvalidAssumedSize, message);
    }
    for name in size.slicing_arguments.iter().flatten() {
        let problem = match slicing_type(subgraph, field, name) {
            Err(problem) => problem,
            Ok(ty) if is_int(ty) => continue,
            Ok(ty) => format!("its type is \"{ty}\", and must be \"Int\" or \"Int!\""),
        };
        let message = format!("@listSize(slicingArguments: [\"{name}\"]): {problem}");
        report(Code::ListSizeInvalidSlicingArgument, message);
    }
    let Some(sized) = &size.sized_fields else {
        return;
    };
    let returned = field.ty.inner_named_type();
    let def = subgraph
        .types
        .get(returned)
        .filter(|def| matches!(def.kind, Kind::Object | Kind::Interface));
    for name in sized {
        let (code, problem) = match def.map(|def| def.fields.get(name.as_str())) {
            None => (Code::ListSizeInvalidSizedField, format!("\"{returned}\" has no fields")),
            Some(None) => {
                (Code::ListSizeInvalidSizedField, format!("\"{returned}\" has no such field"))
            }
            Some(Some(field)) if is_list(&field.ty) => continue,
            Some(Some(field)) => {
                let problem = format!("its type is \"{}\", which is no list", field.ty);
                (Code::ListSizeAppliedToNonList, problem)
            }
        };
        report(code, format!("@listSize(sizedFields: [\"{name}\"]): {problem}"));
    }
}

/// The type of a slicing argument, or of the field of an input object in it: `input.first`.
fn slicing_type<'a>(
    subgraph: &'a Subgraph,
    field: &'a Field,
    path: &str,
) -> Result<&'a Type, String> {
    let mut steps = path.split('.');
    let argument = field.arguments.get(steps.next().unwrap_or_default());
    let mut ty = &argument.ok_or("the field has no such argument")?.ty;
    for step in steps {
        let input = subgraph.types.get(ty.inner_named_type()).filter(|_| !is_list(ty));
        let inside = input.and_then(|input| input.input_fields.get(step));
        ty = &inside.ok_or_else(|| format!("\"{ty}\" has no field \"{step}\""))?.ty;
    }
    Ok(ty)
}

fn is_list(ty: &Type) -> bool {
    matches!(ty, Type::List(_) | Type::NonNullList(_))
}

fn is_int(ty: &Type) -> bool {
    matches!(ty, Type::Named(name) | Type::NonNullNamed(name) if name == "Int")
}
