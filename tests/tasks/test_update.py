"""What a run sets stands over what params.yaml says, section by section."""

from tasks.update import RetentionSettings, UpdateSettings

USUAL = UpdateSettings(epochs=4, retention=RetentionSettings(distill=0.5, trust=0.1))


def test_one_setting_of_a_section_leaves_the_others() -> None:
    tonight = UpdateSettings.model_validate({"retention": {"ewc": 2.0}})
    told = tonight.over(USUAL)
    assert told.retention == RetentionSettings(ewc=2.0, distill=0.5, trust=0.1)
    assert told.epochs == 4


def test_a_section_that_nobody_filled_in_changes_nothing() -> None:
    assert UpdateSettings.model_validate({"retention": {}}).over(USUAL) == USUAL
