"""Tests that `make deep` runs and `make test` does not, each under the reason why it can wait.

What they hold is held by a quicker test too, or does not change with most changes: see `docs/decisions/023-two-suites.md`.
"""

DEEP = {
    "pages of the documents: their commands, code and notebooks, and a build of the site": (
        "test_docs_site.py::test_no_page_needs_a_network",
        "test_docs_site.py::test_every_link_between_pages_arrives",
        "test_docs_site.py::test_each_contract_and_each_exported_part_has_its_place",
        "test_docs_site.py::test_the_commands_of_a_page_work",
        "test_docs_site.py::test_the_code_of_a_page_runs",
        "test_docs_site.py::test_a_notebook_runs",
    ),
    "another engine or another kind does what its neighbour in the same test does": (
        "test_claims_executors.py",
        "test_life_spread.py::test_eight_devices_run_the_bits_of_one_and_saves_go_both_ways",
        "test_watch_browser.py::test_a_page_that_stays_open_does_not_grow",
        "test_life_resume.py::test_a_killed_life_becomes_what_it_would_have_become[gymnasium:Hopper-v5]",
        "test_policy_codec.py::test_the_control_suite_is_read_and_acted_in_as_its_adapter_does",
        "test_retention_protection.py::test_any_replay_model_takes_a_protection[implicit]",
        "test_retention_protection.py::test_any_replay_model_takes_a_protection[recurrent]",
        "test_examples.py::test_an_example_keeps_its_contract[my_data.py]",
        "test_examples.py::test_an_example_keeps_its_contract[my_planner.py]",
        "test_worlds_cards.py::test_the_world_keeps_its_contract[cards0]",
        "test_behaviours_denoised.py::test_a_critic_draws_actions_to_the_paid_side_of_the_data[consistency]",
        "test_behaviours_denoised.py::test_draws_have_the_shares_of_the_data_under_each_condition_and_keep_entries_tied[consistency]",
    ),
    "a contract with values, of a family whose life `test_recipes.py` runs, or whose shapes it traces": (
        "test_models_implicit.py::test_implicit_keeps_the_contract",
        "test_models_recurrent.py::test_recurrent_keeps_the_contract",
        "test_models_recalling.py::test_recalling_keeps_the_contract_of_a_model",
        "test_behaviours_dreams.py::test_the_dreamer_keeps_the_contract",
        "test_behaviours_dyna.py::test_the_agent_keeps_the_contract",
        "test_behaviours_sequenced.py::test_agents_keep_the_contract[learner0-None]",
        "test_behaviours_in_context.py::test_the_agent_keeps_the_contract_and_refuses_other_worlds",
        "test_behaviours_mixed.py::test_it_keeps_the_contract_of_agents",
        "test_retention_zoo.py::test_zoo_keeps_the_contract_of_a_model",
        "test_retention_hypernetwork.py::test_hypernetwork_keeps_the_contract_of_a_model",
        "test_retention_experts.py::test_experts_keep_the_contract_of_a_model",
        "test_worlds_student.py::test_the_world_keeps_the_contract",
        "test_memory_blueprints.py::test_a_source_of_conversations_keeps_the_contract_and_refuses_ties",
    ),
    "what is learned in hundreds of updates; a formula or a claim holds the same part": (
        "test_behaviours_in_context.py::test_it_names_the_best_lever_by_the_exact_posterior",
        "test_behaviours_masked.py::test_a_forward_model_is_what_least_squares_finds_and_a_hidden_stretch_is_the_mean",
        "test_behaviours_unified.py::test_levels_of_noise_choose_among_the_four_conditionals_of_a_normal_world",
        "test_behaviours_handover.py::test_only_shown_actions_are_imitated",
        "test_behaviours_bootstrapped.py::test_new_plans_are_kept_with_actions_of_the_planner",
        "test_behaviours_discovered.py::test_actor_critic_and_a_search_learn_in_finite_worlds",
        "test_behaviours_tuned.py::test_the_average_of_the_clone_acts_and_is_the_prior_of_what_follows",
        "test_behaviours_meta_decision.py::test_a_code_tells_the_task_and_the_transformer_waits_for_it",
        "test_behaviours_dreams.py::test_an_explorer_seeks_what_the_objective_pays_and_leaves_the_policy_alone",
        "test_behaviours_controlled.py::test_a_latent_without_luck_takes_the_better_lever",
        "test_networks_sight.py::test_dqn_learns_a_bandit_whose_context_is_a_picture",
        "test_models_implicit.py::test_policy_of_choices_prefers_what_pays",
        "test_models_recurrent.py::test_pictures_are_encoded_and_decoded",
        "test_models_recurrent.py::test_units_of_the_actions_do_not_matter",
        "test_models_losse_groups.py::test_a_wall_is_learned_by_grids_that_look_at_places_and_smeared_by_those_that_look_at_all",
        "test_teachers_tracing.py::test_pupils_have_prerequisites_before_their_skills_and_are_predicted_better_than_by_chance",
        "test_evaluation_timescales.py::test_parities_of_two_and_of_three_bits_are_learned",
        "test_evaluation_study.py::test_a_lesson_that_is_drawn_again_keeps_more_than_one_that_is_not",
        "test_claims_pairs.py::test_practice_teaches_four_classes",
        "test_claims_measured_sets.py::test_values_learn_the_way_from_chance_and_a_clone_stays_as_good_as_its_data",
        "test_retention_experts.py::test_a_world_that_changes_and_comes_back_is_known",
        "test_retention_hypernetwork.py::test_answers_to_the_first_task_are_kept_after_the_second",
    ),
}
"""Reason -> tests, by what their names begin with."""


def waits(name: str) -> str:
    """The reason why a test waits, by its name from the file's on; empty where it does not."""
    for reason, begins in DEEP.items():
        if any(name == begin or name.startswith((f"{begin}::", f"{begin}[")) for begin in begins):
            return reason
    return ""
