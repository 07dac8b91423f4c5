TrainCommand.start()
