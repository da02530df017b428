//! All actions there are, those of every view among them: what key map, footer, help, palette and README are made of.

use super::action::{About, Action, MOVING, PIPELINE, SCREEN, about};
use super::{view, view_id::ViewId};

/// The chapters of the help: a title, and the actions of it.
pub(crate) fn chapters() -> Vec<(&'static str, Vec<About>)> {
    let views = view::all().map(|view| about(Action::View(view.id()), view.id().name(), view.text));
    let own = view::all().map(|view| (view.title, view.actions.to_vec()));
    let mut chapters = vec![
        ("Pipeline (upper-case letters change it)", PIPELINE.to_vec()),
        ("Views", views.collect()),
        ("Moving", MOVING.to_vec()),
    ];
    chapters.extend(own.filter(|(_, actions)| !actions.is_empty()));
    chapters.push(("Screen", SCREEN.to_vec()));
    chapters
}

/// All actions, in the order of the help.
pub(crate) fn all() -> Vec<About> {
    chapters().into_iter().flat_map(|(_, actions)| actions).collect()
}

/// The actions whose name or text holds what was typed.
pub(crate) fn offered(typed: &str) -> Vec<About> {
    let typed = typed.to_lowercase();
    let offers = |about: &About| about.name.contains(&typed) || about.text.to_lowercase().contains(&typed);
    let mut offered: Vec<_> = all().into_iter().filter(offers).collect();
    offered.sort_by_key(|about| !about.name.starts_with(&typed));
    offered
}

/// The view that alone offers an action.
pub(crate) fn owner(action: Action) -> Option<ViewId> {
    view::all().find(|view| view.actions.iter().any(|about| about.action == action)).map(|view| view.id())
}

/// By which the key map names an action.
pub(crate) fn name(action: Action) -> &'static str {
    all().into_iter().find(|about| about.action == action).map_or("", |about| about.name)
}

/// An action by its name in the key map.
pub(crate) fn named(name: &str) -> Option<Action> {
    all().into_iter().find(|about| about.name == name).map(|about| about.action)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_action_has_a_name_of_its_own() {
        let all = all();
        let actions: BTreeSet<_> = all.iter().map(|about| about.action).collect();
        let names: BTreeSet<_> = all.iter().map(|about| about.name).collect();
        assert_eq!((actions.len(), names.len()), (all.len(), all.len()));
        for about in all {
            assert_eq!((name(about.action), named(about.name)), (about.name, Some(about.action)));
        }
    }
}
